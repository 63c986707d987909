// What the network answers: lists by pages, refusals, and answers to compare.
import { strict as assert } from 'node:assert';
import { RpcError } from '@mysten/sui/grpc';

/** An answer in which bytes are text: the native transport has them as another class. */
export function plain(answer: unknown): unknown {
  if (answer instanceof Uint8Array) return Buffer.from(answer).toString('hex');
  if (Array.isArray(answer)) return answer.map(plain);
  if (answer === null || typeof answer !== 'object') return answer;
  return Object.fromEntries(Object.entries(answer).map(([key, value]) => [key, plain(value)]));
}

/** All pages of a list, each of at most `limit` items. */
export async function pages<T>(
  limit: number,
  read: (cursor: string | null) => Promise<{ items: T[]; cursor: string | null; hasNextPage: boolean }>,
) {
  const all: T[] = [];
  let cursor: string | null = null;
  for (;;) {
    const page = await read(cursor);
    assert(page.items.length <= limit, `a page of ${page.items.length}`);
    all.push(...page.items);
    if (!page.hasNextPage) return all;
    assert(page.cursor && page.cursor !== cursor, 'a further page has no new cursor');
    cursor = page.cursor;
  }
}

export async function refused(call: Promise<unknown>, code: string, text: RegExp) {
  await assert.rejects(call, (error) => {
    assert(error instanceof RpcError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, text);
    return true;
  });
}
