// Web pages of another origin, and of a host name that points to loopback, can neither read nor write through the
// daemon's API. Every write that they try works without a browser, so the checks can fail.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium, type Page } from 'playwright-core';

const [url, token] = process.argv.slice(2);
assert(url, 'usage: browser.js URL [TOKEN]');
const daemon = new URL(url);
const wrong = 'a-token-that-a-page-has-guessed';

/** Calls the API as a program does, without `Origin`. */
function curl(method: string, path: string, body?: unknown): unknown {
  const options = ['-fsS', '--max-time', '120', '-X', method];
  if (token) options.push('-H', `Authorization: Bearer ${token}`);
  if (body !== undefined) options.push('-H', 'Content-Type: application/json', '-d', JSON.stringify(body));
  return JSON.parse(execFileSync('curl', [...options, `${url}${path}`], { encoding: 'utf8' }));
}

interface Stack {
  stack_small_id: number;
  owner_address: string;
  in_settle_period: boolean;
  num_total_messages: number;
  free_units: number;
}

/** The journal and the served work. */
const state = () => ['/transactions', '/stacks', '/reservations', '/subscriptions'].map((path) => curl('GET', path));

const stack = (curl('GET', '/stacks') as Stack[]).find((stack) => !stack.in_settle_period && stack.free_units > 1);
assert(stack, 'no stack is open');
const { stack_small_id, owner_address } = stack;

/** Writes that succeed when a program sends them. */
const writes = [
  { path: '/stack_messages', body: { stack_small_id, message_hash: `0x${'ab'.repeat(32)}`, num_compute_units: 1 } },
  { path: '/reservations', body: { owner_address, stack_small_id, num_compute_units: 1, holder: 'page' } },
  { path: '/try_settle_stack_ids', body: { stack_small_ids: [stack_small_id] } },
];
const reads = ['/stacks', '/transactions', '/openapi.json', '/swagger-ui/', '/ready'];

const pages = createServer((_, response) => {
  response.setHeader('content-type', 'text/html');
  response.end('<!doctype html><title>foreign</title>');
});
await new Promise<void>((listening) => pages.listen(0, '127.0.0.1', listening));
const { port } = pages.address() as AddressInfo;

const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--host-resolver-rules=MAP rebind.test 127.0.0.1'],
});

/** What a page got to see; an error otherwise. */
type Seen = { seen: string } | { error: string };

/** Fetches in the page. */
const fetched = (page: Page, target: string, init: RequestInit): Promise<Seen> =>
  page.evaluate(
    async ([target, init]) => {
      try {
        const response = await fetch(target, init);
        return { seen: `${response.type} ${response.status} ${await response.text()}` };
      } catch (error) {
        return { error: String(error) };
      }
    },
    [target, init] as const,
  );

/** Loads an element, and says whether it loaded. */
const loaded = (page: Page, tag: 'script' | 'img', src: string): Promise<boolean> =>
  page.evaluate(
    ([tag, src]) =>
      new Promise<boolean>((resolve) => {
        const element = document.createElement(tag);
        element.onload = () => resolve(true);
        element.onerror = () => resolve(false);
        element.src = src;
        document.body.append(element);
      }),
    [tag, src] as const,
  );

/** Sends a form to a frame, and waits for what the frame shows. */
const posted = (page: Page, action: string, body: string): Promise<void> =>
  page.evaluate(
    ([action, body]) =>
      new Promise<void>((resolve) => {
        const frame = document.createElement('iframe');
        frame.name = `frame-${document.forms.length}`;
        document.body.append(frame);
        const form = document.createElement('form');
        Object.assign(form, { action, method: 'post', enctype: 'text/plain', target: frame.name });
        const field = document.createElement('input');
        // With the equals sign of a form this is JSON too.
        [field.name, field.value] = [body.replace(/}$/, ',"x":"'), '"}'];
        form.append(field);
        document.body.append(form);
        frame.onload = () => resolve();
        form.submit();
      }),
    [action, body] as const,
  );

/** Frames a page, and returns the text that the frame shows of the daemon. */
async function framed(page: Page, src: string): Promise<string> {
  await page.evaluate(
    (src) =>
      new Promise<void>((resolve) => {
        const frame = document.createElement('iframe');
        frame.onload = () => resolve();
        frame.src = src;
        document.body.append(frame);
      }),
    src,
  );
  const frame = page.frames().at(-1);
  assert(frame);
  // The document's own: that of the frame may not be known yet.
  const url = await frame.evaluate(() => document.URL);
  return url.startsWith('chrome-error:') ? '' : `${url} ${await frame.content()}`;
}

/** Opens a socket, and says whether it opened. */
const connected = (page: Page, target: string): Promise<boolean> =>
  page.evaluate(
    (target) =>
      new Promise<boolean>((resolve) => {
        const socket = new WebSocket(target);
        socket.onopen = () => resolve(true);
        socket.onerror = () => resolve(false);
      }),
    target,
  );

/** Everything that a page can try at this URL of the daemon. `refusal` is all that it may see. */
async function attack(page: Page, target: string, refusal: RegExp | null) {
  const sees = (what: string, result: Seen) => {
    if ('error' in result) return;
    assert(refusal?.test(result.seen) ?? false, `${page.url()} sees ${what}: ${result.seen.slice(0, 200)}`);
  };
  const authorized = { Authorization: `Bearer ${wrong}` };
  for (const path of reads) {
    for (const init of [{}, { mode: 'no-cors' }, { headers: authorized }] as RequestInit[]) {
      sees(`${path} ${JSON.stringify(init)}`, await fetched(page, `${target}${path}`, init));
    }
    assert.equal(await loaded(page, 'script', `${target}${path}`), false, `${page.url()} runs ${path}`);
    assert.equal(await loaded(page, 'img', `${target}${path}`), false, `${page.url()} shows ${path}`);
    const text = await framed(page, `${target}${path}`);
    assert(text === '' || (refusal?.test(text) ?? false), `${page.url()} frames ${path}: ${text.slice(0, 200)}`);
  }
  for (const { path, body } of writes) {
    const json = JSON.stringify(body);
    const type = { 'Content-Type': 'application/json' };
    for (const init of [
      { method: 'POST', body: json, headers: type },
      { method: 'POST', body: json, headers: { ...type, ...authorized } },
      { method: 'POST', body: json, mode: 'no-cors' },
      { method: 'POST', body: json, mode: 'no-cors', headers: type },
    ] as RequestInit[]) {
      sees(`POST ${path} ${JSON.stringify(init)}`, await fetched(page, `${target}${path}`, init));
    }
    await posted(page, `${target}${path}`, json);
    await page.evaluate(
      ([target, json]) => navigator.sendBeacon(target, new Blob([json], { type: 'text/plain' })),
      [`${target}${path}`, json] as const,
    );
  }
  sees('DELETE', await fetched(page, `${target}/reservations?holder=page`, { method: 'DELETE' }));
  assert.equal(await connected(page, `${target.replace('http', 'ws')}/stacks`), false);
}

const before = state();

// A page of another origin. What it sends may arrive, but it sees nothing.
const foreign = await browser.newPage();
const answers: { method: string; status: number }[] = [];
foreign.on('response', (response) => {
  if (response.url().startsWith(daemon.origin)) {
    answers.push({ method: response.request().method(), status: response.status() });
  }
});
await foreign.goto(`http://localhost:${port}/`);
// It can fetch and frame what is its own.
assert('seen' in (await fetched(foreign, `http://localhost:${port}/`, {})));
assert.match(await framed(foreign, `http://localhost:${port}/`), /foreign/);
await attack(foreign, daemon.origin, null);
const arrived = answers.filter(({ method }) => method !== 'GET');
assert(arrived.length > 0, 'no write reached the daemon');
assert(arrived.every(({ status }) => status === 403), JSON.stringify(arrived));

// A page whose host name points to loopback by now: to the browser, the daemon is its own server.
const rebound = await browser.newPage();
const own = `http://rebind.test:${daemon.port}`;
await rebound.route(`${own}/`, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
await rebound.goto(`${own}/`);
await attack(rebound, own, /^basic 403 {"error":.*"code":"forbidden"}$|^http:\/\/rebind\.test.*"code":"forbidden"/s);
await attack(rebound, daemon.origin, null);

assert.deepEqual(state(), before, 'a page has changed something');

// The viewer itself works under its own policy: it shows an endpoint and logs no violation.
const viewer = await browser.newPage();
const problems: string[] = [];
viewer.on('console', (message) => {
  if (message.type() === 'error') problems.push(message.text());
});
viewer.on('pageerror', (error) => problems.push(String(error)));
await viewer.goto(`${daemon.origin}/swagger-ui/`);
await viewer.locator('#operations-State-list_tasks').click({ timeout: 60_000 });
await viewer.locator('.try-out__btn').click();
await viewer.locator('button.execute').click();
const status = await viewer.locator('.live-responses-table tbody .response-col_status').first().innerText();
assert.equal(status.trim().split(/\s/)[0], token ? '401' : '200');
const unexpected = problems.filter((problem) => !(token && problem.includes('401')));
assert.deepEqual(unexpected, []);

await browser.close();
pages.close();

// The very same writes without a browser.
for (const { path, body } of writes.slice(0, 2)) curl('POST', path, body);
curl('DELETE', '/reservations?holder=page');
for (const { path, body } of writes.slice(2)) curl('POST', path, body);
const after = curl('GET', '/stacks') as Stack[];
const changed = after.find((stack) => stack.stack_small_id === stack_small_id);
assert.equal(changed?.num_total_messages, stack.num_total_messages + 1);
assert.equal(changed.in_settle_period, true);
console.log(`pages reach nothing ${token ? 'of a daemon with tokens' : 'of a daemon without tokens'}`);
