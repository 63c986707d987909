// What the page shows of the daemon: fetched once, kept, and fetched again when an event says that it changed. What could
// not be fetched again stays on the page and is marked as old.
import { signal, type Signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { connection } from './connection';
import { share } from './share';

/** What an event can say has changed. */
export type Topic = 'applied' | 'transactions' | 'alarms' | 'autopilot' | 'status';

export interface Shown<T> {
  data: T | undefined;
  /** Why the last attempt failed. With `data` it means that `data` is old. */
  error: Error | undefined;
  /** When `data` was fetched, in milliseconds of this machine's clock. */
  fetchedAt: number | undefined;
}

class Entry<T> {
  readonly shown: Signal<Shown<T>> = signal({ data: undefined, error: undefined, fetchedAt: undefined });
  users = 0;
  private running = false;
  private again = false;
  private lastStart = 0;
  private delayed: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private fetcher: () => Promise<T>,
    readonly topics: readonly Topic[],
    /** Milliseconds between two fetches that events ask for. */
    private readonly gap: number,
  ) {}

  use(fetcher: () => Promise<T>): void {
    this.fetcher = fetcher;
  }

  /** Fetches again, but not more often than the gap allows. */
  refresh(): void {
    if (this.delayed !== undefined) return;
    // What is old is asked for sooner.
    const gap = this.shown.peek().error ? Math.min(this.gap, 1000) : this.gap;
    const wait = Math.max(0, this.lastStart + gap - Date.now());
    this.delayed = setTimeout(() => {
      this.delayed = undefined;
      if (this.users > 0) void this.fetch();
    }, wait);
  }

  async fetch(): Promise<void> {
    if (this.running) {
      this.again = true;
      return;
    }
    this.running = true;
    this.lastStart = Date.now();
    try {
      const data = share(this.shown.peek().data, await this.fetcher());
      this.shown.value = { data, error: undefined, fetchedAt: Date.now() };
    } catch (error) {
      this.shown.value = { ...this.shown.peek(), error: error as Error };
    }
    this.running = false;
    if (this.again) {
      this.again = false;
      this.refresh();
    }
  }
}

const entries = new Map<string, Entry<unknown>>();

/** Whether something changed while nobody looked. */
let missed = false;
document.addEventListener('visibilitychange', () => {
  if (document.hidden || !missed) return;
  missed = false;
  changed('all');
});

/** Everything that is on the page now and depends on one of these topics is fetched again. */
export function changed(topics: readonly Topic[] | 'all'): void {
  if (document.hidden) {
    missed = true;
    return;
  }
  for (const entry of entries.values()) {
    if (entry.users === 0) continue;
    if (topics === 'all' || topics.some((topic) => entry.topics.includes(topic))) entry.refresh();
  }
}

/** Forgets everything, for example when the session ends. */
export function forget(): void {
  entries.clear();
}

export interface Resource<T> extends Shown<T> {
  reload: () => void;
  /** Whether what is shown may have changed since. */
  isOld: boolean;
}

const most = 60;
function entryOf<T>(key: string, fetcher: () => Promise<T>, topics: readonly Topic[], gap: number): Entry<T> {
  let entry = entries.get(key) as Entry<T> | undefined;
  if (!entry) {
    entry = new Entry<T>(fetcher, topics, gap);
    for (const [old, { users }] of entries) {
      if (entries.size < most) break;
      if (users === 0) entries.delete(old);
    }
    entries.set(key, entry as Entry<unknown>);
  }
  return entry;
}

/** Shows something of the daemon under a key that names all of its parameters. */
export function useResource<T>(key: string, fetcher: () => Promise<T>, topics: readonly Topic[], gap = 1000): Resource<T> {
  const entry = useMemo(() => entryOf(key, fetcher, topics, gap), [key]);
  useEffect(() => {
    entry.use(fetcher);
    entry.users += 1;
    void entry.fetch();
    return () => {
      entry.users -= 1;
    };
  }, [entry]);
  const shown = entry.shown.value;
  const isOld = shown.data !== undefined && (shown.error !== undefined || connection.value === 'lost');
  return { ...shown, isOld, reload: () => void entry.fetch() };
}
