// Lists in pages, by the API's cursors.
import type { paths } from '../api/schema';
import { type Answer, type Query, type Reply, read } from '../api/client';
import { type Resource, type Topic, useResource } from '../live/resource';
import { replaceQuery, route } from '../shell/route';

export type Page<P extends keyof paths> = Resource<Reply<Answer<P>>>;

/** The page of a list that the route's `cursor` names. `cursors` are those of the pages before. */
export function usePage<P extends keyof paths & string>(
  path: P,
  parameters: Record<string, bigint | undefined>,
  query: Query,
  topics: readonly Topic[],
): Page<P> {
  const cursor = route.value.query.get('cursor') ?? undefined;
  const all = { limit: 100n, ...query, cursor: cursor ?? query.cursor };
  const key = JSON.stringify([path, parameters, all], (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  return useResource(key, () => read(path, parameters, all), topics);
}

export function PageButtons({ next, count, what }: { next: string | undefined; count: number; what: string }) {
  const { query } = route.value;
  const before = query.get('before')?.split('.') ?? [];
  const cursor = query.get('cursor') ?? '';
  if (!next && cursor === '') return null;
  const forward = () => replaceQuery({ cursor: next, before: [...before, cursor].slice(-200).join('.') });
  const back = () => replaceQuery({ cursor: before.at(-1) || undefined, before: before.slice(0, -1).join('.') || undefined });
  const first = () => replaceQuery({ cursor: undefined, before: undefined });
  return (
    <nav class="pages" aria-label={`Pages of ${what}`}>
      <button type="button" onClick={first} disabled={cursor === ''}>
        First
      </button>
      <button type="button" onClick={back} disabled={before.length === 0}>
        Previous
      </button>
      <span class="quiet">
        Page {before.length + 1}, {count} {what}
      </span>
      <button type="button" onClick={forward} disabled={!next}>
        Next
      </button>
    </nav>
  );
}
