// What the page knows about its connection to the daemon, and the time.
import { computed, signal } from '@preact/signals';

/** `live`: events arrive. `asking`: no events, the page asks at intervals. `lost`: the daemon does not answer. */
export type Connection = 'starting' | 'live' | 'asking' | 'lost';

export const connection = signal<Connection>('starting');
/** When the daemon last answered or sent anything, in milliseconds of this machine's clock. */
export const heardAt = signal(Date.now());
/** This machine's clock in milliseconds, once a second. */
export const tick = signal(Date.now());
/** How far the daemon's clock is ahead, in milliseconds. Below three seconds it counts as nothing. */
const clockAhead = signal(0);
/** The daemon's time. */
export const now = computed(() => tick.value + clockAhead.value);

let timer: ReturnType<typeof setInterval> | undefined;
/** Lets the time run while the page is seen. */
export function runClock(): void {
  const run = () => {
    clearInterval(timer);
    if (document.hidden) return;
    tick.value = Date.now();
    timer = setInterval(() => {
      tick.value = Date.now();
    }, 1000);
  };
  document.addEventListener('visibilitychange', run);
  run();
}

export function noteClock(date: string | null): void {
  const time = date ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(time)) return;
  const ahead = time - Date.now();
  const counted = Math.abs(ahead) < 3000 ? 0 : Math.round(ahead / 1000) * 1000;
  if (Math.abs(counted - clockAhead.peek()) >= 2000) clockAhead.value = counted;
}

export function heardFromDaemon(): void {
  heardAt.value = Date.now();
  if (connection.peek() === 'lost') connection.value = 'asking';
}
