// Times in the reader's zone, with UTC on hover.
import { useComputed } from '@preact/signals';
import { now } from '../live/connection';

const dayAndTime = new Intl.DateTimeFormat('en-GB', {
  day: '2-digit',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
});
const full = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });

const utc = (time: number) => `${new Date(time).toISOString().replace('T', ' ').replace('Z', '')} UTC`;

/** `14:02:05` in the reader's zone. */
export const clockTime = (time: number): string => clock.format(time);

/** A moment. */
export function When({ at }: { at: string | null | undefined }) {
  const time = at ? Date.parse(at) : Number.NaN;
  if (Number.isNaN(time)) return <span class="unknown">–</span>;
  return (
    <time dateTime={at ?? ''} title={`${utc(time)}\n${full.format(time)}`}>
      {dayAndTime.format(time).replace(',', '')}
    </time>
  );
}

/** A length of time in its two largest units, such as `3 h 12 min`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([count], index) => index === 0 || count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

/** How long ago a moment was. Only the text is drawn again as the time goes by. */
export function Ago({ at }: { at: string | null | undefined }) {
  const time = at ? Date.parse(at) : Number.NaN;
  const text = useComputed(() => (now.value - time < 2000 ? 'just now' : `${span(now.value - time)} ago`));
  if (Number.isNaN(time)) return <span class="unknown">–</span>;
  return (
    <time key={time} dateTime={at ?? ''} title={`${utc(time)}\n${full.format(time)}`}>
      {text}
    </time>
  );
}

/** How long it is until a moment. */
export function Countdown({ to, after = 'over' }: { to: string | null | undefined; after?: string }) {
  const time = to ? Date.parse(to) : Number.NaN;
  const text = useComputed(() => (time <= now.value ? after : span(time - now.value)));
  const urgency = useComputed(() => (time <= now.value ? 'past' : time - now.value < 600_000 ? 'soon' : 'later'));
  if (Number.isNaN(time)) return <span class="unknown">–</span>;
  return (
    <time key={time} dateTime={to ?? ''} title={`${utc(time)}\n${full.format(time)}`} class={`countdown ${urgency.value}`}>
      {text}
    </time>
  );
}
