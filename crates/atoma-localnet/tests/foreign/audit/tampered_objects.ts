// Tampered effects and objects, each with the check that must find it. The digests above fit.
import { type Chain, versionKey } from './chain.js';
import type { Forgery, Found } from './forgery.js';
import { LAYOUTS, type Effects, type StoredObject, digestOf } from './layouts.js';
import { SUI, USDC, coinOf, worth } from './money.js';
import { type Tampering, isUser, more } from './tampered_ledger.js';

/** The last transaction that wrote an object that fits, and the object's id. */
function wrote(forgery: Forgery, fits: (object: StoredObject, found: Found, index: number) => unknown): { found: Found; id: string } {
  let id = '';
  const found = forgery.find((found) => {
    const index = found.effects.changedObjects.findIndex(([id], index) => {
      const object = forgery.written(found, id);
      return object && isUser(found) && fits(object, found, index);
    });
    id = found.effects.changedObjects[index]?.[0] ?? '';
    return index >= 0;
  });
  return { found, id };
}

/** Adds to a number in the contents of an object. The lowest byte must not overflow. */
function addTo(object: StoredObject, at: number, amount: number) {
  const contents = Uint8Array.from(object.data.Move!.contents);
  const view = new DataView(contents.buffer);
  view.setBigUint64(at, view.getBigUint64(at, true) + BigInt(amount), true);
  Object.assign(object.data.Move!, { contents: [...contents] });
}

const FEE_TREASURY_AT = 32 + 32 + 3 * 8 + 5 * 40;
const editing = (
  check: string,
  what: string,
  edit: (effects: Effects, found: Found) => void,
  fits: (found: Found) => unknown = isUser,
): Tampering => ({
  check,
  what,
  sealed: true,
  tamper: (forgery) => {
    const found = forgery.find(fits);
    forgery.editEffects(found, (effects) => edit(effects, found));
  },
});
const rewriting = (check: string, what: string, fits: Parameters<typeof wrote>[1], edit: (object: StoredObject) => void): Tampering => ({
  check,
  what,
  sealed: true,
  tamper: (forgery) => {
    const { found, id } = wrote(forgery, fits);
    forgery.editObject(found, id, edit);
  },
});
const naming = (
  check: string,
  what: string,
  edit: (inputs: NonNullable<Found['data']['kind']['ProgrammableTransaction']>['inputs'], found: Found['data']) => void,
  fits: (found: Found) => unknown,
): Tampering => ({
  check,
  what,
  tamper: (forgery) => forgery.editTransaction(forgery.find(fits), (data) => edit(data.kind.ProgrammableTransaction!.inputs, data)),
});

const inputs = ({ data }: Found) => data.kind.ProgrammableTransaction?.inputs ?? [];
const hasOwned = (found: Found) => inputs(found).some(({ Object: object }) => object?.ImmOrOwnedObject);
const hasShared = (found: Found) => inputs(found).some(({ Object: object }) => object?.SharedObject);
const isFailed = ({ effects }: Found) => effects.status.Failure;
const isExisting = ({ effects }: Found, index: number) => effects.changedObjects[index]?.[1].inputState.Exist;
const isGas = ({ effects }: Found, index: number) => effects.gasObjectIndex === index;
const isSui = (object: StoredObject) => coinOf(object)?.coinType === SUI;
const isUsdc = (object: StoredObject) => coinOf(object)?.coinType === USDC;
const isDatabase = (object: StoredObject) => !coinOf(object) && worth(object, USDC) > 0n;
const oneMore = (object: StoredObject) => addTo(object, 32, 1);

export const OBJECTS: Tampering[] = [
  editing('lamport version', 'a version off by one', (effects) => (effects.lamportVersion = more(effects.lamportVersion))),
  editing('input version', 'a version off by one', ({ changedObjects }) => {
    const version = changedObjects.find(([, { inputState }]) => inputState.Exist)![1].inputState.Exist![0];
    version[0] = more(version[0], -1n);
  }),
  {
    check: 'no use after deletion',
    what: 'a deleted coin comes back',
    sealed: true,
    tamper: (forgery) => {
      const deleting = forgery.find(
        ({ effects }) => effects.changedObjects.some(([, { outputState }]) => outputState.NotExist) && effects.executedEpoch === '0',
      );
      const [id] = deleting.effects.changedObjects.find(([, { outputState }]) => outputState.NotExist)!;
      const { found } = wrote(forgery, (_, found, index) => !isExisting(found, index));
      forgery.editEffects(found, ({ changedObjects }) => {
        changedObjects.find(([, { inputState }]) => inputState.NotExist)![0] = id;
      });
    },
  },
  editing('id operation', 'a change called a creation', ({ changedObjects }) => {
    const change = changedObjects.find(([, { inputState, outputState }]) => inputState.Exist && outputState.ObjectWrite)![1];
    Object.assign(change, { idOperation: { $kind: 'Created', Created: true } });
  }),
  {
    check: 'written objects',
    what: 'an object that is not kept',
    tamper: (forgery) => {
      const { found, id } = wrote(forgery, isSui);
      forgery.chain.objects.delete(versionKey(id, found.effects.lamportVersion));
    },
  },
  rewriting('previous transaction', 'another one', isSui, (object) => (object.previousTransaction = digestOf('Object', new Uint8Array()))),
  {
    check: 'object digest',
    what: 'one MIST more',
    tamper: (forgery) => {
      const { found, id } = wrote(forgery, isSui);
      forgery.editObject(found, id, oneMore, true);
    },
  },
  editing('owner', 'someone else', ({ changedObjects }, { data }) => {
    const write = changedObjects.find(([, { outputState }]) => outputState.ObjectWrite?.[1].AddressOwner)![1].outputState.ObjectWrite!;
    Object.assign(write[1], { AddressOwner: data.sender.replace(/.$/, (last) => (last === '0' ? '1' : '0')) });
  }),
  editing(
    'order of changes',
    'reversed',
    ({ changedObjects }) => void changedObjects.reverse(),
    ({ effects }) => effects.changedObjects.length > 1,
  ),
  rewriting(
    'type',
    'a coin that is no longer transferable',
    (object, found, index) => isSui(object) && isExisting(found, index),
    (object) => (object.data.Move!.hasPublicTransfer = false),
  ),
  naming(
    'only inputs change',
    'an input that is not named',
    (all) => void all.splice(0, all.length),
    (found) => hasOwned(found) && isFailed(found),
  ),
  editing('dependencies', 'one left out', ({ dependencies }) => void dependencies.pop()),
  naming(
    'named inputs',
    'a version off by one',
    (all) => {
      const { ImmOrOwnedObject } = all.find(({ Object: object }) => object?.ImmOrOwnedObject)!.Object!;
      if (ImmOrOwnedObject) ImmOrOwnedObject.version = more(ImmOrOwnedObject.version, -1n);
    },
    hasOwned,
  ),
  naming(
    'owner of inputs',
    'another sender',
    (_, data) => (data.sender = data.sender.replace(/.$/, (last) => (last === '0' ? '1' : '0'))),
    hasOwned,
  ),
  naming(
    'shared inputs',
    'another initial version',
    (all) => {
      const { SharedObject } = all.find(({ Object: object }) => object?.SharedObject)!.Object!;
      if (SharedObject) SharedObject.initialSharedVersion = more(SharedObject.initialSharedVersion);
    },
    hasShared,
  ),
  editing(
    'inputs change',
    'an input left out',
    ({ changedObjects }, found) => {
      const named = inputs(found).flatMap(({ Object: object }) => object?.ImmOrOwnedObject?.objectId ?? []);
      changedObjects.splice(
        changedObjects.findIndex(([id]) => named.includes(id)),
        1,
      );
    },
    (found) => hasOwned(found) && isFailed(found),
  ),
  editing('gas object', 'none', (effects) => (effects.gasObjectIndex = null)),
  {
    check: 'created ids',
    what: 'an id that is made up',
    sealed: true,
    tamper: (forgery) => {
      const { found, id } = wrote(forgery, (object, found, index) => isSui(object) && !isExisting(found, index));
      const madeUp = id.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
      forgery.chain.objects.set(
        versionKey(madeUp, found.effects.lamportVersion),
        LAYOUTS.Object.serialize(forgery.written(found, id)!).toBytes(),
      );
      forgery.editEffects(found, ({ changedObjects }) => (changedObjects.find(([changed]) => changed === id)![0] = madeUp));
    },
  },
  rewriting(
    'failures change nothing',
    'one MIST more',
    (object, found, index) => isFailed(found) && isSui(object) && !isGas(found, index),
    oneMore,
  ),
  {
    check: 'live objects',
    what: 'a version off by one',
    tamper: ({ chain }: { chain: Chain }) => {
      const [id, version] = [...chain.live].find(([, version]) => version)!;
      chain.live.set(id, version! + 1n);
    },
  },

  ...['SUI is conserved', 'SUI supply'].map((check) => rewriting(check, 'one MIST more in a coin', isSui, oneMore)),
  ...['USDC is conserved', 'USDC supply'].map((check) => rewriting(check, 'one unit more in a coin', isUsdc, oneMore)),
  rewriting('USDC is conserved', 'one unit more in the treasury', isDatabase, (object) => addTo(object, FEE_TREASURY_AT, 1)),
  rewriting('gas coin', 'one MIST more', (_, found, index) => isFailed(found) && isGas(found, index), oneMore),
  rewriting('storage fees', 'one MIST more to return', isSui, (object) => (object.storageRebate = more(object.storageRebate))),
  editing('share returned', 'one MIST more', ({ gasUsed }) => {
    gasUsed.storageRebate = more(gasUsed.storageRebate);
    gasUsed.nonRefundableStorageFee = more(gasUsed.nonRefundableStorageFee, -1n);
  }),
  editing(
    'computation',
    'one MIST more',
    ({ gasUsed }) => (gasUsed.computationCost = more(gasUsed.computationCost)),
    ({ effects }) => effects.status.Success && effects.gasObjectIndex !== null,
  ),
  editing(
    'system gas',
    'a prologue that costs something',
    ({ gasUsed }) => (gasUsed.computationCost = '1'),
    ({ data }) => data.kind.ConsensusCommitPrologue,
  ),
  naming('budget', 'a budget of 1', (_, { gasData }) => (gasData.budget = '1'), isUser),
  {
    check: 'balance changes',
    what: 'one MIST more',
    tamper: (forgery) => {
      const { raw } = forgery.find(isUser);
      raw.balanceChanges = raw.balanceChanges.map((change) => ({ ...change, amount: change.amount + 1n }));
    },
  },
];
