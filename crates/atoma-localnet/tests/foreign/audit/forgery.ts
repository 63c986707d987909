// A copy of a ledger to tamper with. The bytes are shared with the original, and replaced when they change.
import { type Chain, type ChainCheckpoint, type ChainTransaction, versionKey } from './chain.js';
import { type Contents, type Effects, LAYOUTS, type StoredObject, type Summary, type TransactionData, digestOf, parse } from './layouts.js';

export interface Found {
  checkpoint: ChainCheckpoint;
  raw: ChainTransaction;
  data: TransactionData;
  effects: Effects;
}

export class Forgery {
  readonly chain: Chain;

  constructor(original: Chain) {
    const checkpoints = original.checkpoints.map((checkpoint) => ({
      ...checkpoint,
      transactions: checkpoint.transactions.map((transaction) => ({ ...transaction })),
    }));
    this.chain = {
      ...original,
      checkpoints,
      byDigest: new Map(checkpoints.flatMap(({ transactions }) => transactions).map((transaction) => [transaction.digest, transaction])),
      objects: new Map(original.objects),
      live: new Map(original.live),
      epochs: original.epochs.map((epoch) => ({ ...epoch })),
    };
  }

  /** The last transaction for which `fits` holds. */
  find(fits: (found: Found) => unknown): Found {
    for (const checkpoint of [...this.chain.checkpoints].reverse()) {
      for (const raw of [...checkpoint.transactions].reverse()) {
        const data = parse('TransactionData', raw.transaction).value.V1;
        const effects = parse('TransactionEffects', raw.effects).value.V2!;
        const found = { checkpoint, raw, data, effects };
        if (fits(found)) return found;
      }
    }
    throw new Error('The ledger has no transaction of the kind to tamper with');
  }

  editSummary(checkpoint: ChainCheckpoint, edit: (summary: Summary) => void) {
    const value = structuredClone(parse('CheckpointSummary', checkpoint.summary).value);
    edit(value);
    checkpoint.summary = LAYOUTS.CheckpointSummary.serialize(value).toBytes();
  }

  editContents(checkpoint: ChainCheckpoint, edit: (contents: Contents) => void) {
    const value = structuredClone(parse('CheckpointContents', checkpoint.contents).value);
    edit(value.V1);
    checkpoint.contents = LAYOUTS.CheckpointContents.serialize(value).toBytes();
  }

  editTransaction({ raw }: Found, edit: (data: TransactionData) => void) {
    const value = structuredClone(parse('TransactionData', raw.transaction).value);
    edit(value.V1);
    raw.transaction = LAYOUTS.TransactionData.serialize(value).toBytes();
  }

  editEffects({ raw }: Found, edit: (effects: Effects) => void) {
    const value = structuredClone(parse('TransactionEffects', raw.effects).value);
    edit(value.V2!);
    raw.effects = LAYOUTS.TransactionEffects.serialize(value).toBytes();
  }

  /** Changes an object that a transaction wrote, and the digest in the effects unless `unsealed`. */
  editObject(found: Found, id: string, edit: (object: StoredObject) => void, unsealed = false) {
    const key = versionKey(id, found.effects.lamportVersion);
    const value = structuredClone(parse('Object', this.chain.objects.get(key)!).value);
    edit(value);
    const bytes = LAYOUTS.Object.serialize(value).toBytes();
    this.chain.objects.set(key, bytes);
    if (unsealed) return;
    this.editEffects(found, ({ changedObjects }) => {
      const write = changedObjects.find(([changed]) => changed === id)?.[1].outputState.ObjectWrite;
      if (write) write[0] = digestOf('Object', bytes);
    });
  }

  /** Makes the digests of checkpoints fit what they contain, as a network would that tells one false story. */
  seal() {
    let previous: string | null = null;
    for (const checkpoint of this.chain.checkpoints) {
      const listed = parse('CheckpointContents', checkpoint.contents).value.V1.transactions;
      const effects = checkpoint.transactions.map((raw) => digestOf('TransactionEffects', raw.effects));
      if (effects.some((digest, index) => digest !== listed[index]?.effects)) {
        this.editContents(checkpoint, ({ transactions }) => transactions.forEach((entry, index) => (entry.effects = effects[index]!)));
      }
      const content = digestOf('CheckpointContents', checkpoint.contents);
      const { value } = parse('CheckpointSummary', checkpoint.summary);
      if (value.contentDigest !== content || value.previousDigest !== previous) {
        this.editSummary(checkpoint, (summary) => Object.assign(summary, { contentDigest: content, previousDigest: previous }));
      }
      checkpoint.digest = digestOf('CheckpointSummary', checkpoint.summary);
      previous = checkpoint.digest;
    }
    this.chain.chainId = this.chain.checkpoints[0]!.digest;
  }

  /** The bytes of an object that a transaction wrote. */
  written({ effects }: Found, id: string): StoredObject | undefined {
    const bytes = this.chain.objects.get(versionKey(id, effects.lamportVersion));
    return bytes && parse('Object', bytes).value;
  }
}
