// Reads the whole ledger from the network, as bytes.
import { bcs } from '@mysten/sui/bcs';
import type { GrpcTypes } from '@mysten/sui/grpc';
import { client } from './lane.js';

export interface BalanceChange {
  address: string;
  coinType: string;
  amount: bigint;
}

/** A transaction as the network tells it. Where it has BCS bytes, it is these that are checked. */
export interface ChainTransaction {
  digest: string;
  transaction: Uint8Array;
  effects: Uint8Array;
  events: Uint8Array | undefined;
  signatures: Uint8Array[];
  balanceChanges: BalanceChange[];
  checkpoint: bigint;
  timestampMs: bigint;
}

export interface ChainCheckpoint {
  sequence: bigint;
  digest: string;
  summary: Uint8Array;
  contents: Uint8Array;
  transactions: ChainTransaction[];
}

export interface ChainEpoch {
  epoch: bigint;
  firstCheckpoint: bigint;
  lastCheckpoint: bigint | undefined;
  startMs: bigint;
  endMs: bigint | undefined;
  gasPrice: bigint;
}

export interface Chain {
  chainId: string;
  checkpoints: ChainCheckpoint[];
  /** The transactions as they are found by their digests. */
  byDigest: Map<string, ChainTransaction>;
  /** The written objects by `versionKey`. */
  objects: Map<string, Uint8Array>;
  /** The live version of every object that ever was, if it still is. */
  live: Map<string, bigint | undefined>;
  epochs: ChainEpoch[];
}

export const versionKey = (id: string, version: bigint | string) => `${id}@${version}`;

const paths = (prefix: string, ...fields: string[]) => fields.map((field) => prefix + field);
const TRANSACTION = [
  ...['digest', 'transaction.bcs', 'effects.bcs', 'events.bcs', 'signatures.bcs'],
  ...['balance_changes', 'checkpoint', 'timestamp'],
];

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`The network left out ${what}`);
  return value;
}

const bytesOf = (message: { bcs?: { value?: Uint8Array } } | undefined, what: string) => required(message?.bcs?.value, what);
const milliseconds = (time: { seconds: bigint; nanos: number } | undefined, what: string) => {
  const { seconds, nanos } = required(time, what);
  return seconds * 1_000n + BigInt(nanos / 1_000_000);
};

function transactionOf(message: GrpcTypes.ExecutedTransaction): ChainTransaction {
  const digest = required(message.digest, "a transaction's digest");
  return {
    digest,
    transaction: bytesOf(message.transaction, `the bytes of ${digest}`),
    effects: bytesOf(message.effects, `the effects of ${digest}`),
    events: message.events?.bcs?.value,
    signatures: message.signatures.map((signature) => bytesOf(signature, `a signature of ${digest}`)),
    balanceChanges: message.balanceChanges.map(({ address = '', coinType = '', amount = '' }) => ({
      address,
      coinType,
      amount: BigInt(amount),
    })),
    checkpoint: required(message.checkpoint, `the checkpoint of ${digest}`),
    timestampMs: milliseconds(message.timestamp, `the time of ${digest}`),
  };
}

async function readCheckpoint(sequence: bigint): Promise<ChainCheckpoint> {
  const readMask = { paths: ['sequence_number', 'digest', 'summary.bcs', 'contents.bcs', ...paths('transactions.', ...TRANSACTION)] };
  const { response } = await client.ledgerService.getCheckpoint({
    checkpointId: { oneofKind: 'sequenceNumber', sequenceNumber: sequence },
    readMask,
  });
  const { checkpoint } = response;
  return {
    sequence: required(checkpoint?.sequenceNumber, 'a sequence number'),
    digest: required(checkpoint?.digest, `the digest of checkpoint ${sequence}`),
    summary: bytesOf(checkpoint?.summary, `the summary of checkpoint ${sequence}`),
    contents: bytesOf(checkpoint?.contents, `the contents of checkpoint ${sequence}`),
    transactions: (checkpoint?.transactions ?? []).map(transactionOf),
  };
}

async function readEpoch(epoch: bigint): Promise<ChainEpoch> {
  const readMask = { paths: ['epoch', 'first_checkpoint', 'last_checkpoint', 'start', 'end', 'reference_gas_price'] };
  const { response } = await client.ledgerService.getEpoch({ epoch, readMask });
  const found = required(response.epoch, `epoch ${epoch}`);
  return {
    epoch: required(found.epoch, 'the number of an epoch'),
    firstCheckpoint: required(found.firstCheckpoint, `the first checkpoint of epoch ${epoch}`),
    lastCheckpoint: found.lastCheckpoint,
    startMs: milliseconds(found.start, `the start of epoch ${epoch}`),
    endMs: found.end && milliseconds(found.end, `the end of epoch ${epoch}`),
    gasPrice: required(found.referenceGasPrice, `the gas price of epoch ${epoch}`),
  };
}

/** Splits a list into parts of the size that a batch call takes. */
function* batches<T>(all: T[], size: number): Generator<T[]> {
  for (let from = 0; from < all.length; from += size) yield all.slice(from, from + size);
}

/** Reads everything from genesis to the checkpoint that is the latest when the call begins. */
export async function readChain(): Promise<Chain> {
  const { response: info } = await client.ledgerService.getServiceInfo({});
  const chain: Chain = {
    chainId: required(info.chainId, 'the chain id'),
    checkpoints: [],
    byDigest: new Map(),
    objects: new Map(),
    live: new Map(),
    epochs: [],
  };
  const height = required(info.checkpointHeight, 'the height');
  for (let sequence = 0n; sequence <= height; sequence += 1n) chain.checkpoints.push(await readCheckpoint(sequence));
  for (let epoch = 0n; epoch <= required(info.epoch, 'the epoch'); epoch += 1n) chain.epochs.push(await readEpoch(epoch));
  const transactions = chain.checkpoints.flatMap((checkpoint) => checkpoint.transactions);
  for (const digests of batches(
    transactions.map(({ digest }) => digest),
    200,
  )) {
    const { response } = await client.ledgerService.batchGetTransactions({ digests, readMask: { paths: TRANSACTION } });
    for (const [index, { result }] of response.transactions.entries()) {
      if (result.oneofKind === 'transaction') chain.byDigest.set(digests[index]!, transactionOf(result.transaction));
    }
  }
  await readObjects(chain, transactions);
  return chain;
}

/** Reads the version of each object that each transaction wrote, and which versions are live. */
async function readObjects(chain: Chain, transactions: ChainTransaction[]) {
  const written: { objectId: string; version: bigint }[] = [];
  for (const { effects } of transactions) {
    const { V2 } = bcs.TransactionEffects.parse(effects);
    for (const [objectId, { outputState }] of V2?.changedObjects ?? []) {
      chain.live.set(objectId, undefined);
      if (outputState.ObjectWrite) written.push({ objectId, version: BigInt(V2!.lamportVersion) });
      if (outputState.PackageWrite) written.push({ objectId, version: BigInt(outputState.PackageWrite[0]) });
    }
  }
  const read = async (
    requests: { objectId: string; version?: bigint }[],
    take: (id: string, version: bigint, bytes: Uint8Array) => void,
  ) => {
    for (const batch of batches(requests, 500)) {
      const { response } = await client.ledgerService.batchGetObjects({
        requests: batch,
        readMask: { paths: ['object_id', 'version', 'bcs'] },
      });
      for (const { result } of response.objects) {
        if (result.oneofKind !== 'object') continue;
        const { objectId = '', version = 0n } = result.object;
        take(objectId, version, bytesOf(result.object, `the bytes of ${objectId}`));
      }
    }
  };
  await read(written, (id, version, bytes) => chain.objects.set(versionKey(id, version), bytes));
  await read(
    [...chain.live.keys()].map((objectId) => ({ objectId })),
    (id, version) => chain.live.set(id, version),
  );
}
