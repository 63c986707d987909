// Makes a thousand mixed transactions in four rounds. In between, control calls change the network.
import { strict as assert } from 'node:assert';
import { bcs } from '@mysten/sui/bcs';
import { Inputs, Transaction } from '@mysten/sui/transactions';
import { blake2b } from '@noble/hashes/blake2.js';
import { control, keyOf, ready } from '../world.js';
import { BUDGET, KINDS, complete, type Context } from './kinds.js';
import { Lane, client, execute } from './lane.js';

const LANES = 9;
const ROUNDS = 4;
const PER_LANE_AND_ROUND = 28;

/** The transactions made, by kind. */
export type Tally = Map<string, number>;

const count = (tally: Tally, kind: string) => tally.set(kind, (tally.get(kind) ?? 0) + 1);

/** One lane's part of a round. Each kind gets its turn in an order that differs from lane to lane. */
async function runLane(lane: Lane, others: Lane[], context: Context, tally: Tally) {
  const names = Object.keys(KINDS);
  const shift = lane.random.below(names.length);
  for (let n = 0; n < PER_LANE_AND_ROUND; n += 1) {
    const coins = await lane.coins();
    const turn = names[(shift + n * 7) % names.length]!;
    const rich = coins.filter(({ balance }) => balance >= BUDGET).length;
    const name = rich < (KINDS[turn]!.coins ?? 1) ? 'split' : turn;
    const kind = KINDS[name]!;
    const to = others[lane.random.below(others.length)]!.address;
    const draft = await kind.draft(lane, coins, to, context);
    const { succeeded, error } = await execute(...complete(draft, lane, coins, context.gasPrice));
    assert.equal(succeeded, !kind.fails, `${name}: ${error}`);
    if (kind.fails) assert.match(error, kind.fails, name);
    count(tally, name);
  }
}

/** A stack of sampling consensus from purchase to claim: operators settle and attest, and later claim. */
class Settlements {
  #stacks: number[] = [];

  constructor(readonly tally: Tally) {}

  async #call(
    account: string,
    context: Context,
    name: string,
    build: (transaction: Transaction) => Parameters<Transaction['moveCall']>[0]['arguments'],
  ) {
    const key = keyOf(account);
    const sender = key.toSuiAddress();
    const transaction = new Transaction();
    const database = transaction.object(Inputs.SharedObjectRef({ objectId: ready.atoma_db_id, initialSharedVersion: 1, mutable: true }));
    const { objects } = await client.core.listOwnedObjects({
      owner: sender,
      type: `${ready.package_id}::db::NodeBadge`,
      include: { content: true },
    });
    const first = account === 'operator-1' ? 1n : 3n;
    const badge = objects.find(({ content }) => BigInt(bcs.u64().parse(content.slice(32))) === first);
    assert(badge);
    transaction.moveCall({
      target: `${context.packageId}::db::${name}`,
      arguments: [database, transaction.object(Inputs.ObjectRef(badge)), ...(build(transaction) ?? [])],
    });
    transaction.setSender(sender);
    transaction.setGasPrice(context.gasPrice);
    transaction.setGasBudget(200_000_000n);
    const { objects: coins } = await client.core.listCoins({ owner: sender });
    transaction.setGasPayment([coins[0]!]);
    const { succeeded, error } = await execute(transaction, [key]);
    assert(succeeded, `${name}: ${error}`);
    count(this.tally, name);
  }

  async settle(context: Context) {
    const bought = await control('/stacks', { task_small_id: 3, num_compute_units: 1_000, price: 1_000_000, count: 2, node_small_id: 1 });
    this.#stacks = bought['stack_small_ids'] as number[];
    for (const stack of this.#stacks) {
      await control(`/stacks/${stack}/attesters`, { node_small_ids: [3] });
      const [leaf, attested] = [new Array<number>(32).fill(1), new Array<number>(32).fill(2)];
      const proof = blake2b(Uint8Array.from([...leaf, ...attested]), { dkLen: 32 });
      await this.#call('operator-1', context, 'try_settle_stack', ({ pure, object }) => [
        pure.u64(stack),
        pure.u64(900),
        pure.vector('u8', proof),
        pure.vector('u8', leaf),
        object(Inputs.SharedObjectRef({ objectId: '0x8', initialSharedVersion: 1, mutable: false })),
      ]);
      await this.#call('operator-2', context, 'submit_stack_settlement_attestation', ({ pure }) => [
        pure.u64(stack),
        pure.vector('u8', proof),
        pure.vector('u8', attested),
      ]);
    }
  }

  async claim(context: Context) {
    await this.#call('operator-1', context, 'claim_funds', ({ pure }) => [pure.vector('u64', this.#stacks)]);
  }

  async withdraw(context: Context) {
    for (const account of ['operator-1', 'operator-2']) await this.#call(account, context, 'withdraw_fees', () => []);
  }
}

/** Makes all transactions, and returns how many of each kind. */
export async function makeTraffic(): Promise<Tally> {
  const tally: Tally = new Map();
  const lanes = Array.from({ length: LANES }, (_, index) => new Lane(index));
  for (const lane of lanes) await lane.fund();
  const settlements = new Settlements(tally);
  let packageId = ready.package_id;
  for (let round = 0; round < ROUNDS; round += 1) {
    const { referenceGasPrice } = await client.core.getReferenceGasPrice();
    const context = { packageId, gasPrice: BigInt(referenceGasPrice) };
    await Promise.all([
      ...lanes.map((lane) =>
        runLane(
          lane,
          lanes.filter((other) => other !== lane),
          context,
          tally,
        ),
      ),
      [settlements.settle, settlements.claim, settlements.withdraw][round]?.call(settlements, context),
    ]);
    await congest(lanes[0]!, context, tally);
    if (round === 1) packageId = String((await control('/package/upgrade', {}))['package_id']);
    await control('/gas-price', { price: 1_000 + round * 250 });
    await control('/clock/advance', { ms: 1_000 });
    await control('/epoch/advance', {});
    if (round === 0) await control('/epoch/advance', {});
  }
  return tally;
}

/** A transaction that consensus cancels because too many use its shared object. */
async function congest(lane: Lane, context: Context, tally: Tally) {
  await control('/faults', { kind: 'congestion' });
  const coins = await lane.coins();
  const draft = await KINDS['purchase']!.draft(lane, coins, lane.address, context);
  const { succeeded, error } = await execute(...complete(draft, lane, coins, context.gasPrice));
  assert(!succeeded && /congest/i.test(error), error);
  count(tally, 'cancelled for congestion');
}
