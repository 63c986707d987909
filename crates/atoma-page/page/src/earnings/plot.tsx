// Bars of amounts with the gas beside them. Heights are drawn from numbers; every amount in words is exact.
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { colours } from '../settings/theme';
import { decimal } from '../ui/amount';

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

export function Plot({ bars, label }: { bars: Bar[]; label: string }) {
  const box = useRef<HTMLDivElement>(null);
  const told = useRef<HTMLParagraphElement>(null);
  const theme = colours.value;
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const setup = options(bars, Math.max(240, element.clientWidth));
    const tell = ({ cursor }: uPlot) => {
      const bar = cursor.idx === null || cursor.idx === undefined ? undefined : bars[cursor.idx];
      if (!told.current) return;
      const amount = (value: bigint, decimals: number) => `${decimal(value, decimals).whole}.${decimal(value, decimals).fraction}`;
      told.current.textContent = bar ? `${bar.name}: received ${amount(bar.received, 6)} USDC, gas ${amount(bar.gas, 9)} SUI` : '';
    };
    setup.hooks = { setCursor: [tell] };
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
  }, [bars, theme]);
  return (
    <figure class="plot">
      <div class="legend" aria-hidden="true">
        <span class="mark paid">
          <span class="dot" />
          received
        </span>
        <span class="mark gas">
          <span class="dot" />
          gas
        </span>
      </div>
      <div ref={box} role="img" aria-label={label} />
      <p ref={told} class="told quiet" aria-hidden="true" />
    </figure>
  );
}
