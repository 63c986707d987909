// A plot of amounts. Heights are drawn from numbers; every amount in words is exact.
import { useEffect, useRef, useState } from 'preact/hooks';
import { colours } from '../settings/theme';
import { decimal } from '../ui/amount';
import type { Bar, draw } from './draw';

/** The name of the file with `draw`, which the build sets. */
declare const DRAW_FILE: string;

const amount = (value: bigint, decimals: number): string => `${decimal(value, decimals).whole}.${decimal(value, decimals).fraction}`;

export function Plot({ bars, label }: { bars: Bar[]; label: string }) {
  const box = useRef<HTMLDivElement>(null);
  const told = useRef<HTMLParagraphElement>(null);
  const [drawing, setDrawing] = useState<{ draw: typeof draw }>();
  const [isMissing, setMissing] = useState(false);
  const theme = colours.value;
  useEffect(() => {
    (import(DRAW_FILE) as Promise<{ draw: typeof draw }>).then(setDrawing, () => setMissing(true));
  }, []);
  useEffect(() => {
    if (!box.current || !drawing) return undefined;
    return drawing.draw(box.current, bars, (bar) => {
      if (!told.current) return;
      told.current.textContent = bar ? `${bar.name}: received ${amount(bar.received, 6)} USDC, gas ${amount(bar.gas, 9)} SUI` : '';
    });
  }, [bars, theme, drawing]);
  if (isMissing) return <p class="notice stale">The plot can't be loaded. Load the page again: the daemon may have a newer one.</p>;
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
      <div ref={box} class="plot-box" role="img" aria-label={label} />
      <p ref={told} class="told quiet" aria-hidden="true" />
    </figure>
  );
}
