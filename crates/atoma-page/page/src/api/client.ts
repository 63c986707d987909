// Requests to the daemon that served the page. Paths, queries and answers are typed by the OpenAPI document.
import { heardFromDaemon, noteClock } from '../live/connection';
import { parseJson, writeJson } from './json';
import type { paths } from './schema';
import type { ApiError } from './types';

type Reads = { [P in keyof paths]: paths[P] extends { get: { responses: infer R } } ? R : never };
/** The answer of a GET. */
export type Answer<P extends keyof paths> = Reads[P] extends { 200: { content: { 'application/json': infer A } } } ? A : never;
/** A value in a query or a path. */
type Parameter = string | bigint | boolean | undefined;
export type Query = Record<string, Parameter>;

/** The API answered, and it was an error. */
export class Refused extends Error {
  readonly code: string;
  readonly details: Record<string, unknown>;
  constructor(
    readonly status: number,
    /** The whole answer: errors about several stacks have `results` too. */
    readonly answer: unknown,
    readonly retryAfter: string | null,
  ) {
    const error = (answer ?? {}) as Partial<ApiError>;
    super(error.error ?? `The daemon answered with status ${status}.`);
    this.code = error.code ?? `status_${status}`;
    this.details = (error.details ?? {}) as Record<string, unknown>;
  }
}

/** No answer came: the daemon is stopped, or the connection to it is broken. */
export class Unreachable extends Error {
  constructor(readonly reason: unknown) {
    super('The daemon does not answer.');
  }
}

export interface Reply<T> {
  status: number;
  body: T;
  /** The cursor of the next page of a list. */
  next: string | undefined;
}

interface Options {
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** How long to wait. Requests that write wait for the daemon's own limit. */
  timeoutMs?: number;
}

type Listener = () => void;
let unauthorized: Listener = () => {};
/** Sets what happens when the session has ended. */
export function onUnauthorized(listener: Listener): void {
  unauthorized = listener;
}

/** Fills in the path's parameters and the query. */
export function address(path: string, parameters: Record<string, Parameter> = {}, query: Query = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(parameters[name])));
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
  return text ? `${filled}?${text}` : filled;
}

function nextCursor(link: string | null): string | undefined {
  const target = /<([^>]*)>;\s*rel="next"/.exec(link ?? '')?.[1];
  return target ? (new URL(target, location.origin).searchParams.get('cursor') ?? undefined) : undefined;
}

/** Sends a request and parses the answer. */
export async function send<T>(method: string, path: string, options: Options = {}): Promise<Reply<T>> {
  const headers: Record<string, string> = { Accept: 'application/json', 'X-Atoma-Page': '1', ...options.headers };
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  const timeout = AbortSignal.timeout(options.timeoutMs ?? (method === 'GET' ? 20_000 : 150_000));
  let response: Response;
  let text: string;
  try {
    response = await fetch(address(path, {}, options.query), {
      method,
      headers,
      body: options.body === undefined ? null : writeJson(options.body),
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
    });
    text = await response.text();
  } catch (reason) {
    if (options.signal?.aborted) throw reason;
    throw new Unreachable(reason);
  }
  noteClock(response.headers.get('date'));
  heardFromDaemon();
  let body: unknown;
  try {
    body = text === '' ? null : parseJson(text);
  } catch {
    body = { error: `The daemon's answer can't be read (status ${response.status}).`, code: 'unreadable_answer' };
    throw new Refused(response.status, body, null);
  }
  if (!response.ok) {
    if (response.status === 401 && path !== '/session') unauthorized();
    throw new Refused(response.status, body, response.headers.get('retry-after'));
  }
  return { status: response.status, body: body as T, next: nextCursor(response.headers.get('link')) };
}

/** Reads one thing, or one page of a list. */
export function read<P extends keyof paths & string>(
  path: P,
  parameters: Record<string, Parameter> = {},
  query: Query = {},
  signal?: AbortSignal,
): Promise<Reply<Answer<P>>> {
  return send<Answer<P>>('GET', address(path, parameters, query), signal ? { signal } : {});
}

/** A key that makes a write safe to repeat. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
