// What objects are worth: SUI in coins and as storage rebates, and the test currency in coins and in
// the contract's treasuries.
import { bcs } from '@mysten/sui/bcs';
import { normalizeStructTag } from '@mysten/sui/utils';
import { ready } from '../world.js';
import type { StoredObject } from './layouts.js';

export const SUI = normalizeStructTag('0x2::sui::SUI');
const normalized = new Map<string, string>();

/** A coin type in its long form. */
export function normalize(coinType: string): string {
  const known = normalized.get(coinType) ?? normalizeStructTag(coinType);
  normalized.set(coinType, known);
  return known;
}

export const USDC = normalizeStructTag(ready.usdc_type);

const U64 = bcs.u64();
const Table = bcs.struct('Table', { id: bcs.Address, size: bcs.u64() });
/** The beginning of the contract's `AtomaDb`, up to its treasuries. */
const AtomaDb = bcs.struct('AtomaDb', {
  id: bcs.Address,
  tickets: bcs.Address,
  nextSmallIds: bcs.tuple([bcs.u64(), bcs.u64(), bcs.u64()]),
  tables: bcs.tuple([Table, Table, Table, Table, Table]),
  feeTreasury: bcs.u64(),
  communalTreasury: bcs.u64(),
});

export interface CoinValue {
  coinType: string;
  value: bigint;
}

/** The currency and value of a coin object. */
export function coinOf(object: StoredObject | undefined): CoinValue | undefined {
  const move = object?.data.Move;
  if (!move) return undefined;
  const coinType = move.type.GasCoin ? SUI : move.type.Coin && normalize(move.type.Coin);
  if (!coinType) return undefined;
  return { coinType, value: BigInt(U64.parse(Uint8Array.from(move.contents.slice(32, 40)))) };
}

/** What an object is worth in a currency, in its smallest unit. */
export function worth(object: StoredObject | undefined, currency: string): bigint {
  if (!object) return 0n;
  const coin = coinOf(object);
  if (coin) return coin.coinType === currency ? coin.value : 0n;
  const type = object.data.Move?.type.Other;
  if (currency !== USDC || type?.name !== 'AtomaDb') return 0n;
  const { feeTreasury, communalTreasury } = AtomaDb.parse(Uint8Array.from(object.data.Move!.contents));
  return BigInt(feeTreasury) + BigInt(communalTreasury);
}

export const rebate = (object: StoredObject | undefined) => BigInt(object?.storageRebate ?? 0);
export const sum = (values: bigint[]) => values.reduce((a, b) => a + b, 0n);
