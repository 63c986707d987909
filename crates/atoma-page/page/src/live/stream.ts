// Follows the daemon's events, and resumes after a break where it stopped. `fetch` and not EventSource, which hides why it
// was refused.
import { connection, heardAt, heardFromDaemon } from './connection';
import { EventText, type ServerEvent } from './event_text';
import { changed, type Topic } from './resource';

const path = '/events/stream';
/** The daemon sends something every 15 seconds. */
const silenceMs = 40_000;
const topics: readonly string[] = ['applied', 'transactions', 'alarms', 'autopilot', 'status'];

let lastId: string | undefined;
let stop = new AbortController();
let asking: ReturnType<typeof setInterval> | undefined;

function take(event: ServerEvent): void {
  if (event.id !== undefined) lastId = event.id;
  if (event.kind === 'reset') changed('all');
  else if (topics.includes(event.kind)) changed([event.kind as Topic]);
}

/** Reads events until the stream ends. */
async function follow(signal: AbortSignal): Promise<number> {
  const broken = new AbortController();
  const headers: Record<string, string> = { Accept: 'text/event-stream', 'X-Atoma-Page': '1' };
  if (lastId !== undefined) headers['Last-Event-ID'] = lastId;
  const response = await fetch(path, {
    headers,
    cache: 'no-store',
    credentials: 'same-origin',
    signal: AbortSignal.any([signal, broken.signal]),
  });
  if (!response.ok || !response.body) return response.status;
  const wasLost = connection.peek() !== 'live';
  heardFromDaemon();
  connection.value = 'live';
  // Without an id to resume from, something may have changed in between.
  if (wasLost) changed('all');
  const text = new EventText();
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  const watch = setInterval(() => {
    if (Date.now() - heardAt.peek() > silenceMs) broken.abort();
  }, 5000);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return 200;
      heardFromDaemon();
      for (const event of text.push(decoder.decode(value, { stream: true }))) take(event);
    }
  } finally {
    clearInterval(watch);
  }
}

async function isAnswering(): Promise<boolean> {
  try {
    const response = await fetch('/health', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
    return response.ok;
  } catch {
    return false;
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });

/** Follows the events until `unfollow`, with growing pauses after failures. Ends if the session has ended. */
export async function followEvents(unauthorized: () => void): Promise<void> {
  stop.abort();
  stop = new AbortController();
  const { signal } = stop;
  let failures = 0;
  clearInterval(asking);
  // What no event told is asked for: often without a stream, seldom with one.
  let rounds = 0;
  asking = setInterval(() => {
    rounds += 1;
    if (document.hidden) return;
    if (connection.peek() === 'asking' || rounds % 6 === 0) changed('all');
  }, 10_000);
  while (!signal.aborted) {
    let status = 0;
    try {
      status = await follow(signal);
    } catch {
      status = 0;
    }
    if (signal.aborted) return;
    if (status === 401) {
      unauthorized();
      return;
    }
    failures = connection.peek() === 'live' ? 0 : failures + 1;
    connection.value = (await isAnswering()) ? 'asking' : 'lost';
    await pause(status === 404 ? 60_000 : Math.min(500 * 2 ** Math.min(failures, 4), 5000), signal);
  }
}

export function unfollow(): void {
  stop.abort();
  clearInterval(asking);
  lastId = undefined;
  connection.value = 'starting';
}
