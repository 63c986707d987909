// Checks of objects: versions, digests, owners, inputs, deletions and dependencies.
import { bcs } from '@mysten/sui/bcs';
import { normalizeSuiAddress } from '@mysten/sui/utils';
import type { Decoded, Transaction } from './decoded.js';
import { isCreatedId } from './ids.js';
import type { Report } from './report.js';
import { type State, type Step, declaredInputs, idIn, ownerText, versionIn } from './state.js';

const CLOCK = normalizeSuiAddress('0x6');
const U64 = bcs.u64();

export function verifyObjects(transaction: Transaction, state: State, steps: Step[], report: Report) {
  verifyInputs(transaction, state, report);
  verifyVersions(transaction, state, report);
  for (const [index, step] of steps.entries()) verifyChange(transaction, index, step, state, report);
  const order = steps.map(({ id }) => id);
  report.same('order of changes', order, [...new Set(order)].sort(), `the order of the changes of ${transaction.raw.digest}`);
  verifyDependencies(transaction, state, steps, report);
  verifyClock(transaction, steps, report);
}

/** The clock object tells the time of the prologue that moved it, and never goes back. */
function verifyClock({ raw, data }: Transaction, steps: Step[], report: Report) {
  const { commitTimestampMs } = data.kind.ConsensusCommitPrologue ?? {};
  if (commitTimestampMs === undefined) return;
  const [before, after] = steps.filter(({ id }) => id === CLOCK).map(({ before, after }) => [timeOf(before), timeOf(after)])[0] ?? [];
  report.same('clock', after, commitTimestampMs, `the clock after ${raw.digest}`);
  report.expect('clock', before !== undefined && before <= BigInt(commitTimestampMs), () => `${raw.digest} sets the clock back`);
}

const timeOf = (live: Step['before']) => live && BigInt(U64.parse(Uint8Array.from(live.object.data.Move!.contents.slice(32, 40))));

/** The inputs that a transaction names are live, are those it names, and are its signers' to use. */
function verifyInputs(transaction: Transaction, state: State, report: Report) {
  const { raw, data, effects } = transaction;
  const { owned, shared, gas } = declaredInputs(transaction);
  for (const [inputs, owner] of [
    [owned, data.sender],
    [gas, data.gasData.owner],
  ] as const) {
    for (const { objectId, version, digest } of inputs) {
      const live = state.live.get(objectId);
      report.same('named inputs', `${version} ${digest}`, `${live?.version} ${live?.digest}`, `the input ${objectId} of ${raw.digest}`);
      const of = live?.object.owner;
      report.expect(
        'owner of inputs',
        of?.AddressOwner === owner || of?.$kind === 'Immutable',
        () => `${objectId} in ${raw.digest} belongs to someone else`,
      );
    }
  }
  const changed = new Set(effects.changedObjects.map(([id]) => id));
  const unchanged = new Map(effects.unchangedConsensusObjects);
  for (const { objectId, initialSharedVersion, mutable } of shared) {
    const live = state.live.get(objectId);
    report.same(
      'shared inputs',
      initialSharedVersion,
      live?.object.owner.Shared?.initialSharedVersion,
      `the initial version of ${objectId} in ${raw.digest}`,
    );
    const kind = unchanged.get(objectId);
    if (kind?.ReadOnlyRoot)
      report.same('shared inputs', kind.ReadOnlyRoot, [live?.version, live?.digest], `the read version of ${objectId} in ${raw.digest}`);
    const isTold = kind?.Cancelled !== undefined || (mutable ? changed.has(objectId) : kind?.ReadOnlyRoot !== undefined);
    report.expect('shared inputs', isTold, () => `the effects of ${raw.digest} lack ${objectId}`);
  }
  for (const { objectId } of [...owned, ...gas]) {
    const isImmutable = state.live.get(objectId)?.object.owner.$kind === 'Immutable';
    report.expect('inputs change', isImmutable || changed.has(objectId), () => `${objectId} keeps its version in ${raw.digest}`);
  }
  if (gas[0]) {
    const [id] = effects.changedObjects[effects.gasObjectIndex ?? -1] ?? [];
    report.same('gas object', id, gas[0].objectId, `the gas object of ${raw.digest}`);
    const [, ...merged] = gas.map(({ objectId }) => objectId);
    const gone = effects.changedObjects.filter(([id, { outputState }]) => merged.includes(id) && outputState.NotExist);
    report.same('gas object', gone.length, merged.length, `the number of gas coins that ${raw.digest} merged into the first`);
  }
}

/** The lamport version is one more than the highest version among the inputs. */
function verifyVersions(transaction: Transaction, state: State, report: Report) {
  const { raw, data, effects, isSystem } = transaction;
  const { owned, shared, gas } = declaredInputs(transaction);
  const cancelled = new Set(effects.unchangedConsensusObjects.flatMap(([id, { Cancelled }]) => (Cancelled ? [id] : [])));
  const named = [...owned, ...gas, ...shared.filter(({ objectId }) => !cancelled.has(objectId))].map(({ objectId }) => objectId);
  const inputs = isSystem ? effects.changedObjects.map(([id]) => id) : named;
  const versions = inputs.map((id) => BigInt(state.live.get(id)?.version ?? 0));
  const highest = versions.reduce((a, b) => (a > b ? a : b), 0n);
  report.same('lamport version', effects.lamportVersion, data.kind.Genesis ? 1n : highest + 1n, `the lamport version of ${raw.digest}`);
}

function verifyChange(transaction: Transaction, index: number, { id, before, after }: Step, state: State, report: Report) {
  const { raw, data, effects } = transaction;
  const { inputState, outputState, idOperation } = effects.changedObjects[index]![1];
  const of = `${id} in ${raw.digest}`;
  const told = inputState.Exist ? `${inputState.Exist[0].join(' ')} ${ownerText(inputState.Exist[1])}` : 'none';
  report.same(
    'input version',
    told,
    before ? `${before.version} ${before.digest} ${ownerText(before.object.owner)}` : 'none',
    `the version before of ${of}`,
  );
  report.expect('no use after deletion', !state.deleted.has(id), () => `${of} was deleted before`);
  const operation = outputState.NotExist ? 'Deleted' : before ? 'None' : 'Created';
  report.same('id operation', idOperation.$kind, operation, `the operation on ${of}`);
  if (outputState.NotExist) return;

  report.expect('written objects', after !== undefined, () => `${of} can't be read`);
  if (!after) return;
  const { object, version, digest } = after;
  report.same('written objects', `${versionIn(object)} ${idIn(object)}`, `${version} ${id}`, `version and id in the bytes of ${of}`);
  report.same('previous transaction', object.previousTransaction, raw.digest, `the previous transaction of ${of}`);
  if (outputState.ObjectWrite) {
    report.same('object digest', outputState.ObjectWrite[0], digest, `the digest of ${of}`);
    report.same('owner', ownerText(outputState.ObjectWrite[1]), ownerText(object.owner), `the owner of ${of}`);
  }
  if (outputState.PackageWrite) report.same('object digest', outputState.PackageWrite[1], digest, `the digest of ${of}`);
  const [was, is] = [before?.object.data.Move, object.data.Move];
  if (was && is) {
    report.same(
      'type',
      JSON.stringify([is.type, is.hasPublicTransfer]),
      JSON.stringify([was.type, was.hasPublicTransfer]),
      `the type of ${of}`,
    );
    const declared = declaredInputs(transaction);
    const isNamed = [...declared.owned, ...declared.shared, ...declared.gas].some(({ objectId }) => objectId === id);
    const isChild = before?.object.owner.$kind === 'ObjectOwner';
    report.expect('only inputs change', isNamed || isChild || transaction.isSystem, () => `${of} is no input`);
  }
  if (!before && !data.kind.Genesis)
    report.expect('created ids', isCreatedId(id, object, raw.digest), () => `${of} is not derived from its transaction`);
}

/** The dependencies are the transactions that wrote the inputs, and perhaps others before. */
function verifyDependencies(transaction: Transaction, state: State, steps: Step[], report: Report) {
  const { raw, effects } = transaction;
  const { owned, shared, gas } = declaredInputs(transaction);
  const needed = new Set<string>();
  for (const id of [...owned, ...shared, ...gas].map(({ objectId }) => objectId)) {
    const previous = state.live.get(id)?.object.previousTransaction;
    if (previous) needed.add(previous);
  }
  for (const { before } of steps) if (before) needed.add(before.object.previousTransaction);
  for (const digest of needed)
    report.expect('dependencies', effects.dependencies.includes(digest), () => `${raw.digest} lacks the dependency ${digest}`);
  for (const digest of effects.dependencies)
    report.expect('dependencies', state.executed.has(digest), () => `${raw.digest} depends on ${digest}, which is not before it`);
}

/** The network's live objects are those that the transactions left. */
export function verifyLive({ chain }: Decoded, state: State, report: Report) {
  for (const [id, version] of chain.live) {
    report.same('live objects', version, state.live.get(id)?.version, `the live version of ${id}`);
  }
}
