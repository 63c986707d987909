// All reads of the TypeScript Sui SDK, over both of its transports by one table. What a case returns must
// be the same over both.
import { strict as assert } from 'node:assert';
import { bcs } from '@mysten/sui/bcs';
import type { SuiGrpcClient } from '@mysten/sui/grpc';
import { Transaction } from '@mysten/sui/transactions';
import { deriveDynamicFieldID, normalizeStructTag } from '@mysten/sui/utils';
import { pages, plain, refused } from './answers.js';
import { check, finish } from './harness.js';
import { clients, control, keyOf, ready } from './world.js';

type Case = (client: SuiGrpcClient) => Promise<unknown>;

const MISSING = `0x${'ab'.repeat(32)}`;
const SUI = normalizeStructTag('0x2::sui::SUI');
const operator = keyOf('operator-1');
const owner = operator.toSuiAddress();
const { package_id: packageId, atoma_db_id: atomaDb, usdc_type: usdc } = ready;
// Ends with the id and size of the table of stacks.
const Table = bcs.struct('Table', { id: bcs.Address, size: bcs.u64() });
const STACKS_AT = 32 + 32 + 3 * 8 + 3 * 40;

async function stacksTable(client: SuiGrpcClient) {
  const { object } = await client.core.getObject({ objectId: atomaDb, include: { content: true } });
  return Table.parse(object.content.slice(STACKS_AT, STACKS_AT + 40));
}

async function payment(client: SuiGrpcClient, amount: bigint) {
  const transaction = new Transaction();
  transaction.setSender(owner);
  const [coin] = transaction.splitCoins(transaction.gas, [amount]);
  transaction.transferObjects([coin!], owner);
  return transaction.build({ client });
}

const cases: Record<string, Case> = {
  'service info': async (client) => {
    const { response } = await client.ledgerService.getServiceInfo({});
    assert.equal((await client.core.getChainIdentifier()).chainIdentifier, response.chainId);
    return [response.chainId, response.chain, response.server];
  },
  'an object': async (client) => {
    const include = { content: true, previousTransaction: true, objectBcs: true, json: true } as const;
    const { object } = await client.core.getObject({ objectId: atomaDb, include });
    assert.equal(object.type, `${packageId}::db::AtomaDb`);
    assert.equal(object.owner.$kind, 'Shared');
    const { data } = bcs.Object.parse(object.objectBcs);
    assert.deepEqual(Uint8Array.from(data.Move!.contents), Uint8Array.from(object.content));
    return object;
  },
  'several objects, of which one is missing': async (client) => {
    const { objects } = await client.core.getObjects({ objectIds: [atomaDb, MISSING, packageId] });
    const [found, missing, ofPackage] = objects;
    assert(found && !(found instanceof Error) && found.objectId === atomaDb);
    assert(missing instanceof Error && /not found/.test(missing.message));
    assert(ofPackage && !(ofPackage instanceof Error) && ofPackage.type === 'package');
    return [found, ofPackage];
  },
  'a missing object': (client) => refused(client.ledgerService.getObject({ objectId: MISSING }).then(), 'NOT_FOUND', /not found/),
  'an id that is none': (client) =>
    refused(client.ledgerService.getObject({ objectId: 'nonsense' }).then(), 'INVALID_ARGUMENT', /object_id/),
  'owned objects by pages': async (client) => {
    const all = await pages(2, async (cursor) => {
      const { objects: items, ...page } = await client.core.listOwnedObjects({ owner, limit: 2, ...(cursor ? { cursor } : {}) });
      return { items, ...page };
    });
    const { objects } = await client.core.listOwnedObjects({ owner });
    assert.deepEqual(all, objects);
    assert.equal(new Set(all.map(({ objectId }) => objectId)).size, all.length);
    assert.equal(all.filter(({ type }) => type === `${packageId}::db::NodeBadge`).length, 2);
    return all;
  },
  'coins by pages': async (client) => {
    const coins = await pages(1, async (cursor) => {
      const { objects: items, ...page } = await client.core.listCoins({ owner, limit: 1, ...(cursor ? { cursor } : {}) });
      return { items, ...page };
    });
    const { balance } = await client.core.getBalance({ owner });
    assert.equal(balance.coinType, SUI);
    assert.equal(String(coins.reduce((sum, coin) => sum + BigInt(coin.balance), 0n)), balance.balance);
    return [coins, balance];
  },
  balances: async (client) => {
    const buyer = keyOf('buyer').toSuiAddress();
    const { balances } = await client.core.listBalances({ owner: buyer });
    assert.deepEqual(balances.map(({ coinType }) => coinType).sort(), [SUI, normalizeStructTag(usdc)].sort());
    for (const balance of balances)
      assert.deepEqual((await client.core.getBalance({ owner: buyer, coinType: balance.coinType })).balance, balance);
    const none = await client.core.getBalance({ owner: MISSING, coinType: usdc });
    assert.equal(none.balance.balance, '0');
    return balances;
  },
  'coin metadata': async (client) => {
    const { coinMetadata } = await client.core.getCoinMetadata({ coinType: usdc });
    assert.equal(coinMetadata?.decimals, 6);
    assert.equal((await client.core.getCoinMetadata({ coinType: SUI })).coinMetadata?.decimals, 9);
    return coinMetadata;
  },
  'dynamic fields by pages': async (client) => {
    const { id: parentId, size } = await stacksTable(client);
    const fields = await pages(10, async (cursor) => {
      const { dynamicFields: items, ...page } = await client.core.listDynamicFields({ parentId, limit: 10, ...(cursor ? { cursor } : {}) });
      return { items, ...page };
    });
    assert.equal(String(fields.length), size);
    for (const { fieldId, name } of fields) assert.equal(fieldId, deriveDynamicFieldID(parentId, name.type, name.bcs));
    return fields;
  },
  'a dynamic field': async (client) => {
    const { id: parentId } = await stacksTable(client);
    const { dynamicFields } = await client.core.listDynamicFields({ parentId, limit: 1 });
    const { name, valueType } = dynamicFields[0]!;
    const { dynamicField } = await client.core.getDynamicField({ parentId, name });
    assert.equal(normalizeStructTag(dynamicField.value.type), normalizeStructTag(valueType));
    assert.equal(bcs.Address.parse(dynamicField.value.bcs.slice(0, 32)), keyOf('buyer').toSuiAddress());
    return dynamicField;
  },
  'a transaction': async (client) => {
    const { object } = await client.core.getObject({ objectId: atomaDb, include: { previousTransaction: true } });
    const digest = object.previousTransaction;
    assert(digest);
    const include = { effects: true, events: true, balanceChanges: true, objectTypes: true, transaction: true, bcs: true } as const;
    const { Transaction: found } = await client.core.getTransaction({ digest, include });
    assert(found);
    assert.equal(found.effects.transactionDigest, digest);
    assert.equal(found.objectTypes[atomaDb], `${packageId}::db::AtomaDb`);
    const waited = await client.core.waitForTransaction({ digest, include, timeout: 10_000 });
    assert.deepEqual(waited.Transaction, found);
    return found;
  },
  'a missing transaction': (client) => assert.rejects(client.core.getTransaction({ digest: '1'.repeat(32) }), /not found/i),
  'transactions by pages': async (client) => {
    const filter = { sender: keyOf('buyer').toSuiAddress() };
    const digests: string[] = [];
    let after: string | undefined;
    for (let page = 0; page < 2; page += 1) {
      const found = await client.core.listTransactions({ filter, limit: 5, order: 'ascending', ...(after ? { after } : {}) });
      digests.push(...found.transactions.map(({ Transaction: success, FailedTransaction }) => (success ?? FailedTransaction)!.digest));
      after = found.endCursor ?? undefined;
      assert(found.hasNextPage && after);
    }
    assert.equal(new Set(digests).size, 10);
    return digests;
  },
  events: async (client) => {
    const { events } = await client.core.listEvents({
      filter: { eventType: `${packageId}::db::StackCreatedEvent` },
      limit: 3,
      order: 'ascending',
    });
    assert.equal(events.length, 3);
    assert(events.every(({ module, json }) => module === 'db' && json));
    return events;
  },
  'the reference gas price and the epoch': async (client) => {
    const readMask = { paths: ['epoch', 'reference_gas_price', 'first_checkpoint', 'start'] };
    const { response } = await client.ledgerService.getEpoch({ readMask });
    const { referenceGasPrice } = await client.core.getReferenceGasPrice();
    assert.equal(String(response.epoch?.referenceGasPrice), referenceGasPrice);
    return response.epoch;
  },
  'the protocol configuration': async (client) => (await client.core.getProtocolConfig()).protocolConfig,
  checkpoints: async (client) => {
    const readMask = { paths: ['sequence_number', 'digest', 'summary', 'contents', 'transactions.digest'] };
    const bySequence = await client.ledgerService.getCheckpoint({
      checkpointId: { oneofKind: 'sequenceNumber', sequenceNumber: 1n },
      readMask,
    });
    const { checkpoint } = bySequence.response;
    const byDigest = await client.ledgerService.getCheckpoint({
      checkpointId: { oneofKind: 'digest', digest: checkpoint?.digest ?? '' },
      readMask,
    });
    assert.deepEqual(byDigest.response.checkpoint, checkpoint);
    const none = client.ledgerService.getCheckpoint({ checkpointId: { oneofKind: 'sequenceNumber', sequenceNumber: 1n << 60n } });
    await refused(none.then(), 'NOT_FOUND', /not found/);
    return checkpoint;
  },
  'a subscription to checkpoints': async (client) => {
    const abort = new AbortController();
    const call = client.subscriptionService.subscribeCheckpoints(
      { readMask: { paths: ['sequence_number', 'digest'] } },
      { abort: abort.signal },
    );
    const seen: bigint[] = [];
    await control('/checkpoint', {});
    for await (const { checkpoint, cursor } of call.responses) {
      assert.equal(checkpoint?.sequenceNumber, cursor);
      seen.push(cursor ?? -1n);
      if (seen.length === 3) break;
      await control('/checkpoint', {});
    }
    abort.abort();
    assert.deepEqual(seen, [seen[0]!, seen[0]! + 1n, seen[0]! + 2n]);
  },
  'a function': async (client) => {
    const { function: found } = await client.core.getMoveFunction({ packageId, moduleName: 'db', name: 'try_settle_stack' });
    assert.equal(found.isEntry, true);
    assert.equal(found.visibility, 'private');
    await refused(client.core.getMoveFunction({ packageId, moduleName: 'db', name: 'nothing' }), 'INTERNAL', /nothing/);
    return found;
  },
  'a package, its versions and a datatype': async (client) => {
    const { response } = await client.movePackageService.getPackage({ packageId });
    assert.deepEqual(
      response.package?.modules.map(({ name }) => name),
      ['db'],
    );
    const versions = await client.movePackageService.listPackageVersions({ packageId });
    assert.equal(versions.response.versions[0]?.packageId, packageId);
    const datatype = await client.movePackageService.getDatatype({ packageId, moduleName: 'db', name: 'Stack' });
    assert(datatype.response.datatype?.fields.some(({ name }) => name === 'num_compute_units'));
    return [response.package, datatype.response];
  },
  'a simulation': async (client) => {
    const transaction = await payment(client, 7n);
    const { response: before } = await client.ledgerService.getObject({ objectId: atomaDb });
    const include = { effects: true, balanceChanges: true, commandResults: true } as const;
    const simulated = await client.core.simulateTransaction({ transaction, include });
    assert.equal(simulated.Transaction?.effects.status.success, true);
    assert.equal(simulated.commandResults.length, 2);
    const { response: after } = await client.ledgerService.getObject({ objectId: atomaDb });
    assert.deepEqual(after, before);
  },
  'an execution': async (client) => {
    const transaction = await payment(client, 8n);
    const { signature } = await operator.signTransaction(transaction);
    const include = { effects: true, balanceChanges: true } as const;
    const executed = await client.core.executeTransaction({ transaction, signatures: [signature], include });
    assert.equal(executed.Transaction?.effects.status.success, true);
    // The same bytes once more give the same answer.
    const again = await client.core.executeTransaction({ transaction, signatures: [signature], include });
    assert.deepEqual(again, executed);
  },
  'the system state': async (client) => {
    const { systemState } = await client.core.getCurrentSystemState();
    assert.equal(systemState.referenceGasPrice, (await client.core.getReferenceGasPrice()).referenceGasPrice);
    return systemState;
  },
  'services that are not served are named': async (client) => {
    await refused(client.core.resolveNameServiceAddress({ name: 'atoma.sui' }), 'UNIMPLEMENTED', /does not serve sui.rpc.v2.NameService/);
    await refused(client.core.defaultNameServiceName({ address: owner }), 'UNIMPLEMENTED', /does not serve sui.rpc.v2.NameService/);
  },
};

for (const [name, read] of Object.entries(cases)) {
  const answers: unknown[] = [];
  for (const [transport, client] of Object.entries(clients)) {
    await check(`${transport}: ${name}`, async () => {
      answers.push(plain(await read(client)));
      assert.deepEqual(answers.at(-1), answers[0], 'the transports differ');
    });
  }
}

finish();
