// The live objects as the transactions leave them, one after the other.
import { toHex } from '@mysten/sui/utils';
import { type Decoded, type Transaction } from './decoded.js';
import { type StoredObject, digestOf } from './layouts.js';
import { versionKey } from './chain.js';

export interface Live {
  version: string;
  digest: string;
  object: StoredObject;
}

/** An owner as text, to compare. */
export const ownerText = (owner: StoredObject['owner']) => JSON.stringify(owner);

/** What a transaction did to an object. */
export interface Step {
  id: string;
  before: Live | undefined;
  after: Live | undefined;
}

/** The owned, shared and gas objects that a transaction names. */
export function declaredInputs({ data }: Transaction) {
  const inputs = data.kind.ProgrammableTransaction?.inputs ?? [];
  return {
    owned: inputs.flatMap(({ Object: object }) => object?.ImmOrOwnedObject ?? []),
    shared: inputs.flatMap(({ Object: object }) => object?.SharedObject ?? []),
    gas: data.kind.ProgrammableTransaction ? data.gasData.payment : [],
  };
}

export class State {
  readonly live = new Map<string, Live>();
  readonly deleted = new Set<string>();
  /** The transactions so far. */
  readonly executed = new Set<string>();

  constructor(readonly decoded: Decoded) {}

  /** The changes of a transaction, by its effects and by the objects that it is said to have written. */
  steps({ effects }: Transaction): Step[] {
    return effects.changedObjects.map(([id, { outputState }]) => {
      const version = outputState.PackageWrite?.[0] ?? effects.lamportVersion;
      const object = outputState.NotExist ? undefined : this.decoded.objects.get(versionKey(id, version));
      const bytes = this.decoded.chain.objects.get(versionKey(id, version));
      const after = object && bytes ? { version, digest: digestOf('Object', bytes), object } : undefined;
      return { id, before: this.live.get(id), after };
    });
  }

  apply({ raw }: Transaction, steps: Step[]) {
    this.executed.add(raw.digest);
    for (const { id, after } of steps) {
      if (after) this.live.set(id, after);
      else {
        this.live.delete(id);
        this.deleted.add(id);
      }
    }
  }
}

/** The version of an object, as its own bytes tell it. */
export const versionIn = ({ data }: StoredObject) => data.Move?.version ?? data.Package?.version;
/** The id of an object, as its own bytes tell it. */
export const idIn = ({ data }: StoredObject) =>
  data.Move ? `0x${toHex(Uint8Array.from(data.Move.contents.slice(0, 32)))}` : data.Package?.id;
