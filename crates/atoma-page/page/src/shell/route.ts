// The route is in the address's fragment, such as `#/stacks/13` or `#/stacks?stage=settled`.
import { signal } from '@preact/signals';

export interface Route {
  /** The parts of the path, such as `['stacks', '13']`. */
  path: string[];
  query: URLSearchParams;
  /** The fragment without `#`. */
  text: string;
}

function parse(fragment: string): Route {
  const text = fragment.replace(/^#/, '') || '/';
  const [path = '', query = ''] = text.split('?', 2);
  const parts = path.split('/').filter((part) => part !== '');
  const decoded = parts.map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { path: decoded, query: new URLSearchParams(query), text };
}

export const route = signal<Route>(parse(location.hash));

export function followRoute(): void {
  addEventListener('hashchange', () => {
    route.value = parse(location.hash);
  });
}

export function link(path: string, query: Record<string, string | bigint | undefined> = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
  return `#${path}${text ? `?${text}` : ''}`;
}

/** Changes the query of this page without a step in the history. */
export function replaceQuery(query: Record<string, string | undefined>): void {
  const merged = Object.fromEntries(route.peek().query);
  history.replaceState(
    null,
    '',
    link(`/${route.peek().path.map(encodeURIComponent).join('/')}`, { ...merged, ...query } as Record<string, string>),
  );
  route.value = parse(location.hash);
}

/** An id from a path: a number of 64 bits. */
export function smallId(text: string | undefined): bigint | undefined {
  return text !== undefined && /^\d{1,20}$/.test(text) && BigInt(text) < 2n ** 64n ? BigInt(text) : undefined;
}
