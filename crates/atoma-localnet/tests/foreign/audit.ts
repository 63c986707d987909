// Audits the ledger: makes a thousand mixed transactions, reads everything from genesis on as BCS
// bytes, and checks that it holds together without taking the network's word for it. Then it tampers
// with copies of the ledger, one for each check, and sees that the check finds it.
import { strict as assert } from 'node:assert';
import { type Chain, readChain } from './audit/chain.js';
import { Forgery } from './audit/forgery.js';
import type { Report } from './audit/report.js';
import { LEDGER } from './audit/tampered_ledger.js';
import { OBJECTS } from './audit/tampered_objects.js';
import { makeTraffic } from './audit/traffic.js';
import { verify } from './audit/verify.js';
import { check, finish } from './harness.js';

const LEAST_TRANSACTIONS = 1_000;
const FAULTS_SHOWN = 10;
/** These would give away what a sealed tampering did before the check in question can. */
const SEALS = ['summary digest', 'previous digest', 'content digest', 'effects digest'];

let chain: Chain | undefined;
let report: Report | undefined;

await check('a thousand mixed transactions are made', async () => {
  const made = [...(await makeTraffic())].sort(([a], [b]) => (a < b ? -1 : 1));
  console.log(made.map(([kind, count]) => `          ${String(count).padStart(4)} ${kind}`).join('\n'));
  const total = made.reduce((sum, [, count]) => sum + count, 0);
  assert(total >= LEAST_TRANSACTIONS, `only ${total}`);
});

await check('the whole ledger is read', async () => {
  chain = await readChain();
});
assert(chain);
const original: Chain = chain;

await check('the ledger holds together', async () => {
  report = await verify(original);
  const checks = [...report.made.values()].reduce((sum, count) => sum + count, 0);
  const transactions = original.byDigest.size;
  console.log(
    `          ${original.checkpoints.length} checkpoints, ${transactions} transactions, ${original.objects.size} object versions`,
  );
  console.log(`          ${checks} checks of ${report.made.size} kinds`);
  const shown = report.faults.slice(0, FAULTS_SHOWN).map(({ check, what }) => `${check}: ${what}`);
  assert.equal(report.faults.length, 0, shown.join('\n'));
});

const tamperings = [...LEDGER, ...OBJECTS];
for (const { check: name, what, tamper, sealed } of tamperings) {
  await check(`tampering is found: ${name}, ${what}`, async () => {
    const forgery = new Forgery(original);
    tamper(forgery);
    if (sealed) forgery.seal();
    const { faults } = await verify(forgery.chain);
    const found = new Set(faults.map(({ check }) => check));
    assert(found.has(name), `only found: ${[...found].join(', ')}`);
    if (sealed) assert(!SEALS.some((seal) => found.has(seal)), [...found].join(', '));
  });
}

await check('every check is shown to find something', async () => {
  const shown = new Set(tamperings.map(({ check }) => check));
  assert.deepEqual(
    [...(report?.made.keys() ?? [])].filter((name) => !shown.has(name)),
    [],
  );
});

finish();
