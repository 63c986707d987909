// What is shown while something is fetched, when it could not be, and when it is old.
import type { ComponentChildren } from 'preact';
import { Refused } from '../api/client';
import type { Resource } from '../live/resource';
import { clockTime } from './time';

/** Says what went wrong, in the daemon's words where it has some. */
export function Problem({ error, again }: { error: Error; again?: () => void }) {
  const refused = error instanceof Refused ? error : undefined;
  return (
    <div class="notice bad" role="alert">
      <p>
        {error.message}
        {refused ? <code class="code">{refused.code}</code> : null}
        {refused?.retryAfter ? <span class="quiet"> Try again in {refused.retryAfter} s.</span> : null}
      </p>
      {again ? (
        <button type="button" onClick={again}>
          Try again
        </button>
      ) : null}
    </div>
  );
}

/** Says that something is old, or why it can't be shown. */
export function Freshness<T>({ of }: { of: Resource<T> }) {
  if (of.data === undefined) return of.error ? <Problem error={of.error} again={of.reload} /> : null;
  if (!of.isOld || of.fetchedAt === undefined) return null;
  return (
    <p class="notice stale" role="status">
      As of {clockTime(of.fetchedAt)}. {of.error ? of.error.message : 'The daemon does not answer.'}{' '}
      <button type="button" class="plain" onClick={of.reload}>
        Try again
      </button>
    </p>
  );
}

interface Props<T> {
  of: Resource<T>;
  /** What is loaded, for the reader of the screen: "the stacks". */
  what: string;
  /** Number of placeholder lines while the first answer is awaited. */
  lines?: number;
  children: (data: T) => ComponentChildren;
}

export function Loaded<T>({ of, what, lines = 4, children }: Props<T>) {
  if (of.data === undefined) {
    if (of.error) return <Problem error={of.error} again={of.reload} />;
    return (
      <div class="skeleton" role="status">
        <span class="visually-hidden">Loading {what}…</span>
        {Array.from({ length: lines }, (_, line) => (
          <div key={line} class="bone" />
        ))}
      </div>
    );
  }
  return (
    <div class={of.isOld ? 'old' : undefined}>
      <Freshness of={of} />
      {children(of.data)}
    </div>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}
