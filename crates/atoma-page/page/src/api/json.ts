// JSON with exact integers. `JSON.parse` rounds what is above 2^53; amounts and ids have 64 bits.
import { parse, stringify } from 'lossless-json';

const integer = /^-?\d+$/;

/** Parses an answer of the API. Every integer is a `bigint`. */
export function parseJson(text: string): unknown {
  return parse(text, undefined, (value) => (integer.test(value) ? BigInt(value) : Number.parseFloat(value)));
}

/** The JSON text of a body. A `bigint` becomes an integer. */
export function writeJson(value: unknown): string {
  return stringify(value) ?? 'null';
}
