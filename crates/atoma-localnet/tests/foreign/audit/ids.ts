// How the ids of new objects follow from the transaction, or from the parent and name of a dynamic field.
import { blake2b } from '@noble/hashes/blake2.js';
import { bcs } from '@mysten/sui/bcs';
import { deriveDynamicFieldID, fromBase58, toHex } from '@mysten/sui/utils';
import type { StoredObject } from './layouts.js';

/** The number of ids that one transaction may have used up. */
const MOST_IDS = 128;

function freshId(digest: string, count: number): string {
  const hash = blake2b.create({ dkLen: 32 });
  hash.update(Uint8Array.of(0xf1));
  hash.update(fromBase58(digest));
  hash.update(bcs.u64().serialize(count).toBytes());
  return `0x${toHex(hash.digest())}`;
}

const known = new Set<string>();

/** Whether a transaction can have created an object with this id. */
export function isCreatedId(id: string, { data, owner }: StoredObject, digest: string): boolean {
  const key = `${id} ${digest}`;
  if (known.has(key)) return true;
  const isCreated = isFreshId(id, digest) || isField(id, data, owner);
  if (isCreated) known.add(key);
  return isCreated;
}

function isFreshId(id: string, digest: string): boolean {
  for (let count = 0; count < MOST_IDS; count += 1) if (freshId(digest, count) === id) return true;
  return false;
}

function isField(id: string, data: StoredObject['data'], owner: StoredObject['owner']): boolean {
  const field = data.Move?.type.Other;
  const name = field?.name === 'Field' ? field.typeParams[0] : undefined;
  if (!name || !owner.ObjectOwner) return false;
  // The field's name follows its id. Its length is not told.
  const rest = Uint8Array.from(data.Move!.contents).slice(32);
  const tag = bcs.TypeTag.parse(bcs.TypeTag.serialize(name as never).toBytes());
  for (let length = 1; length <= rest.length; length += 1) {
    if (deriveDynamicFieldID(owner.ObjectOwner, tag, rest.slice(0, length)) === id) return true;
  }
  return false;
}
