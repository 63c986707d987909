// The ledger decoded from its bytes. Bytes that do not encode to themselves again are a fault.
import type { Chain, ChainCheckpoint, ChainTransaction } from './chain.js';
import { type Contents, type Effects, type Stored, type StoredObject, type Summary, type TransactionData, parse } from './layouts.js';
import type { Report } from './report.js';

export interface Transaction {
  raw: ChainTransaction;
  data: TransactionData;
  effects: Effects;
  /** Whether the network itself made the transaction. */
  isSystem: boolean;
}

export interface Checkpoint {
  raw: ChainCheckpoint;
  summary: Summary;
  contents: Contents;
  transactions: Transaction[];
}

export interface Decoded {
  chain: Chain;
  checkpoints: Checkpoint[];
  transactions: Transaction[];
  objects: Map<string, StoredObject>;
}

export function decode(chain: Chain, report: Report): Decoded {
  const read = <Name extends Stored>(name: Name, bytes: Uint8Array, of: string) => {
    const { value, isCanonical } = parse(name, bytes);
    report.expect('encoding', isCanonical, () => `${of} is not canonical BCS`);
    return value;
  };
  const checkpoints = chain.checkpoints.map((raw): Checkpoint => {
    const of = `checkpoint ${raw.sequence}`;
    return {
      raw,
      summary: read('CheckpointSummary', raw.summary, `the summary of ${of}`),
      contents: read('CheckpointContents', raw.contents, `the contents of ${of}`).V1,
      transactions: raw.transactions.map((raw): Transaction => {
        const data = read('TransactionData', raw.transaction, raw.digest).V1;
        const effects = read('TransactionEffects', raw.effects, `the effects of ${raw.digest}`).V2;
        if (!effects) throw new Error(`The effects of ${raw.digest} are not of the second version`);
        if (raw.events) read('TransactionEvents', raw.events, `the events of ${raw.digest}`);
        return { raw, data, effects, isSystem: data.kind.$kind !== 'ProgrammableTransaction' };
      }),
    };
  });
  const transactions = checkpoints.flatMap((checkpoint) => checkpoint.transactions);
  const objects = new Map([...chain.objects].map(([key, bytes]) => [key, read('Object', bytes, `object ${key}`)]));
  return { chain, checkpoints, transactions, objects };
}
