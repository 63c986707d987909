// What wallets and applications do with the TypeScript Sui SDK, over both of its transports: keys of
// all schemes, sponsored transactions, executors, coins, the faucet and waiting.
import { strict as assert } from 'node:assert';
import type { Signer } from '@mysten/sui/cryptography';
import { requestSuiFromFaucetV2 } from '@mysten/sui/faucet';
import type { SuiGrpcClient } from '@mysten/sui/grpc';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { ParallelTransactionExecutor, SerialTransactionExecutor, Transaction, coinWithBalance } from '@mysten/sui/transactions';
import { check, finish } from './harness.js';
import { clients, control, keyOf, ready } from './world.js';

const SUI = 1_000_000_000n;

function pay(amount: bigint, to: string, sender?: string) {
  const transaction = new Transaction();
  if (sender) transaction.setSender(sender);
  const [coin] = transaction.splitCoins(transaction.gas, [amount]);
  assert(coin);
  transaction.transferObjects([coin], to);
  return transaction;
}

async function balance(client: SuiGrpcClient, owner: string, coinType?: string) {
  const { balance } = await client.core.getBalance(coinType ? { owner, coinType } : { owner });
  return BigInt(balance.balance);
}

/** Signs and executes a transaction, and waits until its effects can be read. */
async function execute(client: SuiGrpcClient, signer: Signer, transaction: Transaction) {
  const include = { effects: true } as const;
  const result = await signer.signAndExecuteTransaction({ transaction, client });
  const executed = result.Transaction;
  assert(executed, JSON.stringify(result.FailedTransaction?.status));
  const waited = await client.core.waitForTransaction({ digest: executed.digest, include, timeout: 10_000 });
  assert.equal(waited.Transaction?.effects.status.success, true);
  return executed.digest;
}

/** A new account with coins from the faucet. */
async function funded() {
  const key = new Ed25519Keypair();
  await requestSuiFromFaucetV2({ host: ready.faucet_url, recipient: key.toSuiAddress() });
  return key;
}

for (const [transport, client] of Object.entries(clients)) {
  await check(`${transport}: the faucet helper's coin can be spent`, async () => {
    const key = new Ed25519Keypair();
    const recipient = key.toSuiAddress();
    const { status, coins_sent: sent } = await requestSuiFromFaucetV2({ host: ready.faucet_url, recipient });
    assert.equal(status, 'Success');
    const [coin] = sent ?? [];
    assert(coin);
    const { objects } = await client.core.listCoins({ owner: recipient });
    assert.deepEqual(objects.map((object) => object.objectId), [coin.id]);
    assert.equal(await balance(client, recipient), BigInt(coin.amount));
    const found = await client.core.waitForTransaction({ digest: coin.transferTxDigest, timeout: 10_000 });
    assert.equal(found.Transaction?.digest, coin.transferTxDigest);
    await execute(client, key, pay(SUI, recipient, recipient));
  });

  for (const account of ['operator-2', 'buyer', 'manager']) {
    const key = keyOf(account);
    await check(`${transport}: ${account} pays, signing with ${key.getKeyScheme()}`, async () => {
      const to = new Ed25519Keypair().toSuiAddress();
      await execute(client, key, pay(SUI, to, key.toSuiAddress()));
      assert.equal(await balance(client, to), SUI);
    });
  }

  await check(`${transport}: a sponsor pays for an account without SUI`, async () => {
    const sponsor = keyOf('buyer');
    const sender = new Ed25519Keypair();
    const owner = sender.toSuiAddress();
    await control('/faucet', { address: owner, usdc: 500 });
    const to = new Ed25519Keypair().toSuiAddress();
    const { objects: coins } = await client.core.listCoins({ owner, coinType: ready.usdc_type });
    assert(coins[0]);
    const kind = new Transaction();
    kind.setSender(owner);
    kind.transferObjects([coins[0].objectId], to);
    const bytes = await kind.build({ client, onlyTransactionKind: true });
    const transaction = Transaction.fromKind(bytes);
    transaction.setSender(owner);
    transaction.setGasOwner(sponsor.toSuiAddress());
    const { objects: gas } = await client.core.listCoins({ owner: sponsor.toSuiAddress() });
    assert(gas[0]);
    transaction.setGasPayment([gas[0]]);
    const built = await transaction.build({ client });
    const signatures = [(await sender.signTransaction(built)).signature, (await sponsor.signTransaction(built)).signature];
    const result = await client.core.executeTransaction({ transaction: built, signatures, include: { effects: true } });
    assert.equal(result.Transaction?.effects.status.success, true, JSON.stringify(result));
    assert.equal(await balance(client, to, ready.usdc_type), 500n);
    assert.equal(await balance(client, owner), 0n);
  });

  await check(`${transport}: coinWithBalance takes a part of a balance`, async () => {
    const key = keyOf('buyer');
    const to = new Ed25519Keypair().toSuiAddress();
    const transaction = new Transaction();
    transaction.setSender(key.toSuiAddress());
    const coins = [coinWithBalance({ balance: 7n }), coinWithBalance({ type: ready.usdc_type, balance: 8n })];
    transaction.transferObjects(coins, to);
    await execute(client, key, transaction);
    assert.equal(await balance(client, to), 7n);
    assert.equal(await balance(client, to, ready.usdc_type), 8n);
  });

  await check(`${transport}: coinWithBalance takes all of a balance, and nothing`, async () => {
    const key = await funded();
    const owner = key.toSuiAddress();
    await control('/faucet', { address: owner, usdc: 30 });
    await control('/faucet', { address: owner, usdc: 12 });
    const to = new Ed25519Keypair().toSuiAddress();
    const transaction = new Transaction();
    transaction.setSender(owner);
    const coins = [42n, 0n].map((balance) => coinWithBalance({ type: ready.usdc_type, balance }));
    transaction.transferObjects([...coins, coinWithBalance({ balance: 0n })], to);
    await execute(client, key, transaction);
    assert.equal(await balance(client, to, ready.usdc_type), 42n);
    assert.equal(await balance(client, owner, ready.usdc_type), 0n);
    const { objects } = await client.core.listCoins({ owner: to, coinType: ready.usdc_type });
    assert.deepEqual(objects.map((coin) => coin.balance).sort(), ['0', '42']);
  });

  await check(`${transport}: the serial executor reuses what it knows`, async () => {
    const signer = await funded();
    const executor = new SerialTransactionExecutor({ client, signer });
    const to = new Ed25519Keypair().toSuiAddress();
    const digests = new Set<string>();
    for (let n = 0; n < 5; n += 1) {
      const result = await executor.executeTransaction(pay(3n, to));
      assert(result.Transaction, JSON.stringify(result));
      digests.add(result.Transaction.digest);
    }
    assert.equal(digests.size, 5);
    await executor.waitForLastTransaction();
    assert.equal(await balance(client, to), 15n);
  });

  await check(`${transport}: the parallel executor splits its gas`, async () => {
    const signer = await funded();
    const executor = new ParallelTransactionExecutor({ client, signer, coinBatchSize: 4, maxPoolSize: 4 });
    const to = new Ed25519Keypair().toSuiAddress();
    const results = await Promise.all(Array.from({ length: 8 }, () => executor.executeTransaction(pay(2n, to))));
    assert(results.every((result) => result.Transaction), JSON.stringify(results));
    await executor.waitForLastTransaction();
    assert.equal(await balance(client, to), 16n);
  });
}

finish();
