// Checks of gas, of the conservation of SUI and of the test currency, and of balance changes.
import type { Transaction } from './decoded.js';
import { SUI, USDC, coinOf, normalize, rebate, sum, worth } from './money.js';
import type { Report } from './report.js';
import { type State, type Step, declaredInputs, ownerText } from './state.js';

const MIN_COMPUTATION_UNITS = 1_000n;

const costs = ({ effects }: Transaction) => {
  const { computationCost, storageCost, storageRebate, nonRefundableStorageFee } = effects.gasUsed;
  const [computation, storage, returned, kept] = [computationCost, storageCost, storageRebate, nonRefundableStorageFee].map(BigInt) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  return { computation, storage, returned, kept, net: computation + storage - returned };
};

/** What the network takes out of circulation with a transaction. The rest of the gas lies in objects, to be returned. */
export function burned(transaction: Transaction): bigint {
  const { computation, kept } = costs(transaction);
  return computation + kept;
}

export function verifyMoney(transaction: Transaction, state: State, steps: Step[], report: Report) {
  verifyGas(transaction, steps, report);
  verifyGasCoin(transaction, state, steps, report);
  if (!transaction.data.kind.Genesis) {
    const change = (of: (object: Step['before']) => bigint) => sum(steps.map(({ before, after }) => of(after) - of(before)));
    const sui = change((live) => worth(live?.object, SUI) + rebate(live?.object));
    report.same('SUI is conserved', sui, -burned(transaction), `the change of SUI by ${transaction.raw.digest}`);
    report.same(
      'USDC is conserved',
      change((live) => worth(live?.object, USDC)),
      0n,
      `the change of USDC by ${transaction.raw.digest}`,
    );
  }
  verifyBalanceChanges(transaction, steps, report);
  if (transaction.effects.status.$kind === 'Failure') verifyFailure(transaction, steps, report);
}

function verifyGas(transaction: Transaction, steps: Step[], report: Report) {
  const { raw, data, effects, isSystem } = transaction;
  const { computation, storage, returned, kept } = costs(transaction);
  const of = raw.digest;
  if (isSystem) {
    report.same('system gas', computation + storage + returned + kept, 0n, `the gas of ${of}`);
    return;
  }
  const [price, budget] = [BigInt(data.gasData.price), BigInt(data.gasData.budget)];
  const isWholeBudget = effects.status.Failure?.error.$kind === 'InsufficientGas' && computation === budget;
  const isInUnits = computation % price === 0n && computation >= MIN_COMPUTATION_UNITS * price;
  report.expect('computation', isInUnits || isWholeBudget, () => `the computation of ${of} costs ${computation} at a price of ${price}`);
  const offset = storage > returned ? storage - returned : 0n;
  report.expect('budget', computation + offset <= budget, () => `${of} costs more than its budget`);
  const replaced = sum(steps.map(({ before }) => rebate(before?.object)));
  const written = sum(steps.map(({ after }) => rebate(after?.object)));
  if (storage === 0n && isWholeBudget) {
    // Nothing was left for storage: what is written keeps its fees, and those of the merged gas coins are returned.
    report.same('storage fees', written, replaced - returned - kept, `the fees in the objects that ${of} wrote`);
  } else {
    report.same('storage fees', written, storage, `the fees in the objects that ${of} wrote`);
    report.same('storage fees', replaced, returned + kept, `the fees in the objects that ${of} replaced`);
  }
  report.same('share returned', returned, ((returned + kept) * 9_900n + 5_000n) / 10_000n, `what ${of} gets back for storage`);
}

/** If no command takes it, the gas coin has what all gas coins had, less the gas. */
function verifyGasCoin(transaction: Transaction, state: State, steps: Step[], report: Report) {
  const { raw, data, effects } = transaction;
  const { gas } = declaredInputs(transaction);
  const isUsed = JSON.stringify(data.kind).includes('"GasCoin":true');
  if (!gas[0] || (isUsed && effects.status.Success)) return;
  const paid = sum(gas.map(({ objectId }) => worth(state.live.get(objectId)?.object, SUI)));
  const left = steps.find(({ id }) => id === gas[0]?.objectId)?.after;
  report.same('gas coin', worth(left?.object, SUI), paid - costs(transaction).net, `the gas coin after ${raw.digest}`);
}

/** The balance changes that the network tells are those of the coins that an address owns. */
function verifyBalanceChanges({ raw }: Transaction, steps: Step[], report: Report) {
  const changes = new Map<string, bigint>();
  for (const { before, after } of steps) {
    for (const [live, sign] of [
      [before, -1n],
      [after, 1n],
    ] as const) {
      const coin = coinOf(live?.object);
      const owner = live?.object.owner.AddressOwner;
      if (!coin || !owner) continue;
      const key = `${owner} ${coin.coinType}`;
      changes.set(key, (changes.get(key) ?? 0n) + sign * coin.value);
    }
  }
  const expected = [...changes].filter(([, amount]) => amount !== 0n).map(([key, amount]) => `${key} ${amount}`);
  const told = raw.balanceChanges.map(({ address, coinType, amount }) => `${address} ${normalize(coinType)} ${amount}`);
  report.same('balance changes', told.sort(), expected.sort(), `the balance changes of ${raw.digest}`);
}

/** A transaction that fails changes nothing but versions and gas coins. */
function verifyFailure(transaction: Transaction, steps: Step[], report: Report) {
  const gas = new Set(declaredInputs(transaction).gas.map(({ objectId }) => objectId));
  for (const { id, before, after } of steps) {
    if (gas.has(id)) continue;
    const [was, is] = [before, after].map((live) => live && `${live.object.data.Move?.contents.join()} ${ownerText(live.object.owner)}`);
    report.expect(
      'failures change nothing',
      was !== undefined && was === is,
      () => `${transaction.raw.digest} failed and yet changed ${id}`,
    );
  }
}
