// Settles, attests and claims a stack of the demonstration world, typed by the OpenAPI document.
import assert from 'node:assert/strict';
import createClient from 'openapi-fetch';
import type { paths } from './api.js';

const [url, adminUrl] = process.argv.slice(2);
assert(url && adminUrl, 'usage: settle.js URL ADMIN_URL');
const client = createClient<paths>({ baseUrl: url });

/** The data of a response, or its error's sentence. */
function done<T>({ data, error }: { data?: T; error?: { error?: string } }): T {
  assert(data !== undefined, error?.error);
  return data;
}

/** A hash for a message. */
const hash = (byte: number) => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`;

const tasks = done(await client.GET('/tasks'));
const sampled = tasks.find((task) => task.security_level === 2);
assert(sampled);
const stacks = done(await client.GET('/stacks'));
const stack = stacks.find(
  (stack) => stack.task_small_id === sampled.task_small_id && !stack.in_settle_period && stack.free_units > 0,
);
assert(stack);
const stack_small_id = stack.stack_small_id;
const nodes = done(await client.GET('/nodes')).map((node) => node.node_small_id);

// The operator's other nodes attest from this record.
for (const byte of [1, 2, 3]) {
  const message = { stack_small_id, message_hash: hash(byte), num_compute_units: 100 };
  done(await client.POST('/stack_messages', { body: message }));
}

const settled = done(await client.POST('/try_settle_stack_ids', { body: { stack_small_ids: [stack_small_id] } }));
assert.equal(settled.results[0]?.status, 'succeeded');
const claimed = done(await client.GET('/claimed_stacks')).find((ticket) => ticket.stack_small_id === stack_small_id);
assert(claimed);
const asked: number[] = JSON.parse(claimed.requested_attestation_nodes);
if (asked.some((node) => nodes.includes(node))) {
  const body = { stack_small_ids: [stack_small_id] };
  const attested = done(await client.POST('/submit_stack_settlement_attestations', { body }));
  assert(attested.results.every(({ status }) => status === 'succeeded'));
}

const early = await client.POST('/claim_funds', { body: { stack_small_ids: [stack_small_id] } });
assert.equal(early.error?.code, 'not_yet_claimable');
for (let epoch = 0; epoch < 3; epoch += 1) {
  assert((await fetch(`${adminUrl}/epoch/advance`, { method: 'POST' })).ok);
}
const paid = done(await client.POST('/claim_funds', { body: { stack_small_ids: [stack_small_id] } }));
assert.equal(paid.results[0]?.status, 'succeeded');
assert(paid.tx_digest);
console.log(`stack ${stack_small_id} is settled, attested and claimed: ${paid.tx_digest}`);
