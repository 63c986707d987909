// Opens a page in Chromium that reads a stack from the network.
import { strict as assert } from 'node:assert';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { check, finish } from './harness.js';
import { keyOf, ready } from './world.js';

const bundled = await build({ entryPoints: ['page.ts'], bundle: true, format: 'esm', write: false });
const [script] = bundled.outputFiles;
assert(script);
// The page comes from another origin than the network.
const server = createServer((request, response) => {
  const isScript = request.url === '/page.js';
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
  response.end(isScript ? script.contents : '<!doctype html><output></output><script type="module" src="/page.js"></script>');
});
await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
const { port } = server.address() as AddressInfo;

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });

await check('a page in Chromium reads a stack', async () => {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('console', (message) => problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(String(error)));
  const query = new URLSearchParams({ url: ready.url, db: ready.atoma_db_id, package: ready.package_id, stack: '1' });
  await page.goto(`http://localhost:${port}/?${query}`);
  await page.waitForFunction('document.title !== ""', undefined, { timeout: 30_000 });
  const text = (await page.locator('output').textContent()) ?? '';
  assert.equal(await page.title(), 'read', `${text} ${problems.join('; ')}`);
  const stack = JSON.parse(text) as Record<string, unknown>;
  assert.equal(stack['owner'], keyOf('buyer').toSuiAddress());
  assert.equal(stack['num_compute_units'], '1000000');
  assert.equal(stack['selected_node_id'], '1');
});

await check('a page in Chromium can read why a call failed', async () => {
  const page = await browser.newPage();
  const query = new URLSearchParams({ url: ready.url, db: ready.package_id.replace(/.$/, '0'), package: ready.package_id, stack: '1' });
  await page.goto(`http://localhost:${port}/?${query}`);
  await page.waitForFunction('document.title !== ""', undefined, { timeout: 30_000 });
  assert.match((await page.locator('output').textContent()) ?? '', /not found/i);
});

await browser.close();
server.close();
finish();
