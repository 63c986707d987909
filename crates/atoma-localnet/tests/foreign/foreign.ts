// Tests the local network with the TypeScript Sui SDK over grpc-web: reads, a transaction built
// online and one built offline, and their effects.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bcs } from '@mysten/sui/bcs';
import { SuiGrpcClient } from '@mysten/sui/grpc';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { Inputs, Transaction } from '@mysten/sui/transactions';
import { fromBase64 } from '@mysten/sui/utils';
import { check, finish } from './harness.js';

const [dir = ''] = process.argv.slice(2);
const read = (name: string) => readFileSync(join(dir, name), 'utf8');
const setting = (name: string) => {
  const value = new RegExp(`^${name} = "(.*)"$`, 'm').exec(read('daemon.toml'))?.[1];
  assert(value, `daemon.toml has no ${name}`);
  return value;
};
const [stored = ''] = JSON.parse(read('sui.keystore')) as string[];
const key = Ed25519Keypair.fromSecretKey(fromBase64(stored).slice(1));
const owner = key.toSuiAddress();
const packageId = setting('package_id');
const atomaDb = setting('atoma_db_id');
const client = new SuiGrpcClient({ network: 'localnet', baseUrl: setting('rpc_url') });

const NodeBadge = bcs.struct('NodeBadge', { id: bcs.Address, small_id: bcs.u64() });

async function badges() {
  const type = `${packageId}::db::NodeBadge`;
  const { objects } = await client.core.listOwnedObjects({ owner, type, include: { content: true } });
  const node = (content: Uint8Array) => Number(NodeBadge.parse(content).small_id);
  return objects.sort((a, b) => node(a.content) - node(b.content));
}

/** Signs and executes a transaction, and returns the result as parsed by the SDK. */
async function execute(bytes: Uint8Array) {
  const { signature } = await key.signTransaction(bytes);
  const include = { effects: true, events: true, balanceChanges: true, objectTypes: true } as const;
  const result = await client.core.executeTransaction({ transaction: bytes, signatures: [signature], include });
  const transaction = result.Transaction;
  assert(transaction, JSON.stringify(result.FailedTransaction?.status));
  return transaction;
}

async function settle(build: (transaction: Transaction, badge: string) => Promise<Uint8Array>, stack: number) {
  const [badge] = await badges();
  assert(badge);
  const transaction = new Transaction();
  transaction.setSender(owner);
  const bytes = await build(transaction, badge.objectId);
  assert(bytes.length > 0);
  const executed = await execute(bytes);
  assert.equal(executed.status.success, true);
  assert.equal(executed.effects.status.success, true);
  const types = executed.events.map((event) => event.eventType.split('::').pop());
  assert(types.includes('StackTrySettleEvent'), types.join());
  const event = executed.events.find((event) => event.eventType.endsWith('::StackTrySettleEvent'));
  assert.equal(bcs.u64().parse((event?.bcs ?? new Uint8Array()).slice(0, 8)), String(stack));
  return executed.digest;
}

const settlement = (transaction: Transaction, db: Parameters<Transaction['object']>[0], badge: Parameters<Transaction['object']>[0], stack: number) =>
  transaction.moveCall({
    target: `${packageId}::db::try_settle_stack`,
    arguments: [
      transaction.object(db),
      transaction.object(badge),
      transaction.pure.u64(stack),
      transaction.pure.u64(1000),
      transaction.pure.vector('u8', new Array(32).fill(1)),
      transaction.pure.vector('u8', new Array(32).fill(2)),
      transaction.object(Inputs.SharedObjectRef({ objectId: '0x8', initialSharedVersion: 1, mutable: false })),
    ],
  });

let settled = '';
const unused = await badges();

await check('service info has the chain id and the height', async () => {
  const { response } = await client.ledgerService.getServiceInfo({});
  assert.match(response.chainId ?? '', /^[1-9A-HJ-NP-Za-km-z]{43,44}$/);
  assert((response.checkpointHeight ?? 0n) > 0n);
  assert.equal((await client.core.getReferenceGasPrice()).referenceGasPrice, '1000');
});

await check('the AtomaDb is a shared object of the contract', async () => {
  const { object } = await client.core.getObject({ objectId: atomaDb, include: { content: true } });
  assert.equal(object.type, `${packageId}::db::AtomaDb`);
  assert.equal(object.owner.$kind, 'Shared');
  assert.equal(bcs.Address.parse(object.content.slice(0, 32)), atomaDb);
});

await check('the operator owns badges of nodes 1 and 2', async () => {
  const ids = (await badges()).map((badge) => NodeBadge.parse(badge.content).small_id);
  assert.deepEqual(ids, ['1', '2']);
});

await check('a transaction built online settles a stack', async () => {
  settled = await settle(async (transaction, badge) => {
    settlement(transaction, atomaDb, badge, 1);
    return transaction.build({ client });
  }, 1);
});

await check('a transaction built offline settles a stack', async () => {
  await settle(async (transaction, id) => {
    const badge = (await badges()).find((badge) => badge.objectId === id);
    const { objects: coins } = await client.core.listCoins({ owner });
    const coin = coins[0];
    assert(badge && coin);
    transaction.setGasPrice(1000);
    transaction.setGasBudget(1_000_000_000);
    transaction.setGasPayment([{ objectId: coin.objectId, version: coin.version, digest: coin.digest }]);
    const db = Inputs.SharedObjectRef({ objectId: atomaDb, initialSharedVersion: 1, mutable: true });
    settlement(transaction, db, Inputs.ObjectRef(badge), 2);
    return transaction.build();
  }, 2);
});

await check("a settled transaction's effects and events are read back", async () => {
  const include = { effects: true, events: true, balanceChanges: true } as const;
  await client.core.waitForTransaction({ digest: settled, timeout: 10_000 });
  const { Transaction: found } = await client.core.getTransaction({ digest: settled, include });
  assert(found);
  const { effects } = found;
  assert.equal(effects.transactionDigest, settled);
  assert.equal(effects.version, 2);
  assert(effects.changedObjects.some((change) => change.objectId === atomaDb));
  assert(effects.unchangedConsensusObjects.length === 1);
  assert.equal(effects.gasObject?.outputVersion, effects.lamportVersion);
  assert(found.events.every((event) => event.sender === owner && event.module === 'db'));
  const spent = found.balanceChanges.find((change) => change.address === owner);
  assert(spent && BigInt(spent.amount) < 0n);
});

await check('a stale badge is refused', async () => {
  const current = await badges();
  // Version and digest belong together: a version with another one's digest is refused for its digest.
  const stale = unused.find((old) => current.some((now) => now.objectId === old.objectId && now.version !== old.version));
  const { objects: coins } = await client.core.listCoins({ owner });
  assert(stale && coins[0]);
  const transaction = new Transaction();
  transaction.setSender(owner);
  transaction.setGasPrice(1000);
  transaction.setGasBudget(1_000_000_000);
  transaction.setGasPayment([coins[0]]);
  settlement(transaction, Inputs.SharedObjectRef({ objectId: atomaDb, initialSharedVersion: 1, mutable: true }), Inputs.ObjectRef(stale), 3);
  await assert.rejects(execute(await transaction.build()), /unavailable for consumption/);
});

await check("the contract's functions are described", async () => {
  const { function: found } = await client.core.getMoveFunction({ packageId, moduleName: 'db', name: 'claim_funds' });
  assert.equal(found.isEntry, true);
  assert.equal(found.parameters.length, 4);
});

finish();
