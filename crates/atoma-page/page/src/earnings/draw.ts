// Draws bars of amounts with the gas beside them. The plotting library is large, so this is a file of its own, which the browser
// loads with the first plot.
import uPlot from 'uplot';

export interface Bar {
  name: string;
  /** micro-USDC */
  received: bigint;
  /** MIST */
  gas: bigint;
}

const height = 240;
const style = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
/** For the height of a bar only. */
const rough = (value: bigint, decimals: number): number => Number(value) / 10 ** decimals;

function options(bars: Bar[], width: number): uPlot.Options {
  const axis = {
    stroke: style('--quiet'),
    font: `12px ${style('--font')}`,
    grid: { stroke: style('--line'), width: 1 },
    ticks: { show: false },
  };
  const every = Math.max(1, Math.ceil(bars.length / Math.max(2, Math.floor(width / 90))));
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false, points: { show: false } },
    scales: {
      x: { time: false, range: () => [-0.6, bars.length - 0.4] },
      usdc: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] },
      sui: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        splits: () => bars.map((_, index) => index).filter((index) => index % every === 0),
        values: (_, splits) => splits.map((at) => bars[at]?.name ?? ''),
      },
      { ...axis, scale: 'usdc', label: 'USDC', labelFont: axis.font, labelSize: 18, size: 64 },
      { ...axis, scale: 'sui', side: 1, label: 'gas, SUI', labelFont: axis.font, labelSize: 18, size: 64, grid: { show: false } },
    ],
    series: [
      {},
      {
        label: 'received',
        scale: 'usdc',
        fill: style('--paid'),
        stroke: style('--paid'),
        width: 0,
        paths: uPlot.paths.bars?.({ size: [0.34, 44], align: -1 }),
        points: { show: false },
      },
      {
        label: 'gas',
        scale: 'sui',
        fill: style('--gas'),
        stroke: style('--gas'),
        width: 0,
        paths: uPlot.paths.bars?.({ size: [0.18, 22], align: 1 }),
        points: { show: false },
      },
    ],
  };
}

/** Draws the bars into an element. `tell` learns which bar the pointer is at. Gives what removes the drawing. */
export function draw(element: HTMLElement, bars: Bar[], tell: (bar: Bar | undefined) => void): () => void {
  const setup = options(bars, Math.max(240, element.clientWidth));
  setup.hooks = {
    setCursor: [({ cursor }: uPlot) => tell(cursor.idx === null || cursor.idx === undefined ? undefined : bars[cursor.idx])],
  };
  const data: uPlot.AlignedData = [
    bars.map((_, index) => index),
    bars.map(({ received }) => rough(received, 6)),
    bars.map(({ gas }) => rough(gas, 9)),
  ];
  const plot = new uPlot(setup, data, element);
  const watch = new ResizeObserver(() => plot.setSize({ width: Math.max(240, element.clientWidth), height }));
  watch.observe(element);
  return () => {
    watch.disconnect();
    plot.destroy();
  };
}
