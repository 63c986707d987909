// The BCS layouts of Sui's ledger, and its digests. The SDK has the layouts of objects,
// transactions and effects; those of events and checkpoints are added here.
import { blake2b } from '@noble/hashes/blake2.js';
import { type BcsType, bcs } from '@mysten/sui/bcs';
import { toBase58 } from '@mysten/sui/utils';

const GasCostSummary = bcs.struct('GasCostSummary', {
  computationCost: bcs.u64(),
  storageCost: bcs.u64(),
  storageRebate: bcs.u64(),
  nonRefundableStorageFee: bcs.u64(),
});

export const TransactionEvents = bcs.vector(
  bcs.struct('Event', {
    packageId: bcs.Address,
    module: bcs.string(),
    sender: bcs.Address,
    type: bcs.StructTag,
    contents: bcs.byteVector(),
  }),
);

export const CheckpointContents = bcs.enum('CheckpointContents', {
  V1: bcs.struct('CheckpointContentsV1', {
    transactions: bcs.vector(bcs.struct('ExecutionDigests', { transaction: bcs.ObjectDigest, effects: bcs.ObjectDigest })),
    signatures: bcs.vector(bcs.vector(bcs.byteVector())),
  }),
});

export const CheckpointSummary = bcs.struct('CheckpointSummary', {
  epoch: bcs.u64(),
  sequenceNumber: bcs.u64(),
  networkTotalTransactions: bcs.u64(),
  contentDigest: bcs.ObjectDigest,
  previousDigest: bcs.option(bcs.ObjectDigest),
  epochRollingGasCostSummary: GasCostSummary,
  timestampMs: bcs.u64(),
  checkpointCommitments: bcs.vector(bcs.enum('CheckpointCommitment', { ECMHLiveObjectSetDigest: bcs.ObjectDigest })),
  endOfEpochData: bcs.option(
    bcs.struct('EndOfEpochData', {
      nextEpochCommittee: bcs.vector(bcs.tuple([bcs.byteVector(), bcs.u64()])),
      nextEpochProtocolVersion: bcs.u64(),
      epochCommitments: bcs.vector(bcs.enum('CheckpointCommitment', { ECMHLiveObjectSetDigest: bcs.ObjectDigest })),
    }),
  ),
  versionSpecificData: bcs.byteVector(),
});

/** What the ledger stores, by the name that its digest begins with. */
export const LAYOUTS = {
  TransactionData: bcs.TransactionData,
  TransactionEffects: bcs.TransactionEffects,
  TransactionEvents,
  CheckpointContents,
  CheckpointSummary,
  Object: bcs.Object,
} satisfies Record<string, BcsType<any, any>>;

export type Stored = keyof typeof LAYOUTS;

const digests = new WeakMap<Uint8Array, string>();
const values = new WeakMap<Uint8Array, { value: any; isCanonical: boolean }>();

/** Computes something once for bytes, which never change: who changes bytes makes new ones. */
function remembered<T>(memory: WeakMap<Uint8Array, T>, bytes: Uint8Array, compute: () => T): T {
  const known = memory.get(bytes);
  if (known !== undefined) return known;
  const value = compute();
  memory.set(bytes, value);
  return value;
}

/** Whether two lists of bytes are the same. */
export function isEqual(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}

/** A digest as text: Blake2b of the type's name and the BCS bytes. */
export function digestOf(name: Stored, bytes: Uint8Array): string {
  return remembered(digests, bytes, () => {
    const hash = blake2b.create({ dkLen: 32 });
    hash.update(new TextEncoder().encode(`${name}::`));
    hash.update(bytes);
    return toBase58(hash.digest());
  });
}

/** What bytes stand for, and whether they are its one encoding. */
export function parse<Name extends Stored>(
  name: Name,
  bytes: Uint8Array,
): { value: (typeof LAYOUTS)[Name]['$inferType']; isCanonical: boolean } {
  return remembered(values, bytes, () => {
    const layout: BcsType<any, any> = LAYOUTS[name];
    const value = layout.parse(bytes);
    const again = layout.serialize(value).toBytes();
    return { value, isCanonical: isEqual(again, bytes) };
  });
}

export type TransactionData = (typeof bcs.TransactionData.$inferType)['V1'];
export type Effects = NonNullable<(typeof bcs.TransactionEffects.$inferType)['V2']>;
export type Change = Effects['changedObjects'][number];
export type StoredObject = typeof bcs.Object.$inferType;
export type Summary = typeof CheckpointSummary.$inferType;
export type GasCosts = Summary['epochRollingGasCostSummary'];
export type Contents = (typeof CheckpointContents.$inferType)['V1'];
