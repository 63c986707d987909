// What is wrong is shown as it is: nothing blank, nothing old without saying so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessible, answer, go, loaded, open, url } from './browser.js';
import { wireTo } from './wire.js';

const failed = /Failed to load resource|net::ERR/;

test('a connection that drops is said, what is shown is marked, and it comes back by itself', async () => {
  const wire = await wireTo(url);
  const { page, close } = await open('/', { expected: failed, base: wire.url });
  await loaded(page);
  await page.getByText('Live', { exact: true }).waitFor();
  wire.cut();
  await page.getByText(/^No answer for/).waitFor();
  await page.getByText('The daemon does not answer. What you see is of').waitFor();
  await page
    .getByText(/^As of \d\d:\d\d:\d\d/)
    .first()
    .waitFor();
  await accessible(page);
  wire.mend();
  await page.getByText('Live', { exact: true }).waitFor();
  await page
    .getByText(/^As of/)
    .first()
    .waitFor({ state: 'detached' });
  await close();
});

test('a 503 is shown with its reason and how long to wait', async () => {
  const busy = { error: 'Two lists are being read. Try again.', code: 'busy' };
  const { page, close } = await open('/stacks', {
    expected: failed,
    before: (of) =>
      of.route('**/stacks?*', (route) =>
        route.fulfill({ status: 503, headers: { 'Retry-After': '3', 'Content-Type': 'application/json' }, body: JSON.stringify(busy) }),
      ),
  });
  await page.getByText('Two lists are being read.').waitFor();
  await page.getByText('Try again in 3 s.').waitFor();
  await page.unroute('**/stacks?*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('link', { name: '1', exact: true }).waitFor();
  await close();
});

test('a daemon that is not ready says why', async () => {
  const body = { error: 'not ready', code: 'not_ready', details: { reasons: ['The Sui node does not answer.'] }, brakes: null };
  const { page, close } = await open('/', { expected: failed, before: (of) => answer(of, '/ready', body, 503) });
  await page.getByText('The daemon is not ready.').waitFor();
  await page.getByText('The Sui node does not answer.').waitFor();
  await close();
});

test('an answer that is lost can be asked for again, with the same key', async () => {
  const keys: string[] = [];
  let lose = true;
  const { page, close } = await open('/act/settle?stacks=33', {
    expected: failed,
    before: (of) =>
      of.route('**/try_settle_stack_ids', async (route) => {
        keys.push(route.request().headers()['idempotency-key'] ?? '');
        if (!lose) return route.continue();
        lose = false;
        await route.fetch();
        return route.abort('connectionreset');
      }),
  });
  await loaded(page);
  await page.getByRole('button', { name: 'Dry run' }).click();
  await page.getByRole('button', { name: 'Settle 1 stack now' }).click();
  await page.getByRole('heading', { name: 'The answer was lost' }).waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Ask for the outcome' }).click();
  await page.getByRole('heading', { name: '1 of 1 succeeded' }).waitFor({ timeout: 60_000 });
  assert.equal(keys.length, 2);
  assert.equal(keys[0], keys[1]);
  assert.match(keys[0] ?? '', /^[0-9a-f]{32}$/);
  await close();
});

test('names from the chain are text, whatever they contain', async () => {
  const names = [
    '<img src=x onerror="window.broken=1">',
    '"><script>window.broken=1</script>',
    '{{7*7}} ${7*7}',
    '\u202egnp.exe',
    'ひどい名前 💥',
    'x'.repeat(4000),
  ];
  const tasks = names.map((model_name, index) => ({
    task_small_id: index + 1,
    task_id: null,
    role: 1,
    model_name,
    is_deprecated: false,
    valid_until_epoch: null,
    deprecated_at_epoch: null,
    removed_at_epoch: null,
    security_level: 0,
    minimum_reputation_score: null,
  }));
  const { page, close } = await open('/tasks', { before: (of) => answer(of, '/tasks', tasks) });
  await loaded(page);
  for (const route of ['/tasks', '/stacks', '/stacks/1', '/duties', '/earnings?by=task', '/act/subscribe', '/nodes']) {
    await go(page, route);
    assert.equal(await page.evaluate(() => (window as { broken?: number }).broken), undefined);
    assert.equal(await page.locator('main img[src=x], main script').count(), 0);
  }
  await go(page, '/tasks');
  await page.getByText(names[0] ?? '', { exact: true }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth <= 0), true);
  await close();
});

test('amounts near 2^64 are exact', async () => {
  const most = '18446744073709551615';
  const stack = (id: string) =>
    `{"stack_small_id":${id},"stack_id":null,"owner_address":"0x${'ab'.repeat(32)}","task_small_id":${most},"selected_node_id":1,` +
    `"num_compute_units":${most},"price_per_one_million_compute_units":1000000,"already_computed_units":18446744073709551614,"reserved_units":1,` +
    `"free_units":0,"in_settle_period":false,"num_total_messages":9007199254740993,"merkle_root":null,"is_claimed":false}`;
  const { page, close } = await open('/stacks', {
    before: (of) => answer(of, '/stacks', `[${stack('18446744073709551614')},${stack(most)}]`),
  });
  await loaded(page);
  const row = page.getByRole('row', { name: `Select ${most}` });
  const text = (await row.innerText()).replace(/\s+/g, ' ');
  assert.match(text, /18,446,744,073,709,551,615/);
  assert.match(text, /9,007,199,254,740,993/);
  assert.match(text, /18,446,744,073,709\.551614/);
  assert.equal(await row.getByRole('link').getAttribute('href'), `#/stacks/${most}`);
  await close();
});

test('an empty database is no blank page', async () => {
  const { page, close } = await open('/stacks', {
    before: (of) =>
      answer(
        of,
        /^\/(stacks|tasks|nodes|subscriptions|transactions|alarms|duties|claimed_stacks|earnings|earnings\/lines|node_keys)(\?|$)/,
        [],
      ),
  });
  await page.getByText('No stacks yet.').waitFor();
  const empty: [string, string][] = [
    ['/transactions', 'The daemon has sent no transaction yet.'],
    ['/nodes', 'No node yet.'],
    ['/tasks', 'The network has no task yet.'],
    ['/duties', 'Nothing to do.'],
    ['/alarms', 'No alarm so far.'],
    ['/earnings', 'Nothing was earned in this time.'],
  ];
  for (const [route, text] of empty) {
    await go(page, route);
    await page.getByText(text).waitFor();
    await accessible(page);
  }
  await close();
});

test('ten thousand stacks are paged by cursors', async () => {
  const sample = {
    stack_id: null,
    owner_address: `0x${'cd'.repeat(32)}`,
    task_small_id: 1,
    selected_node_id: 1,
    num_compute_units: 1000,
    price_per_one_million_compute_units: 1,
    already_computed_units: 500,
    reserved_units: 0,
    free_units: 500,
    in_settle_period: false,
    num_total_messages: 1,
    merkle_root: null,
    is_claimed: false,
  };
  const asked: number[] = [];
  const { page, close } = await open('/stacks', {
    before: (of) =>
      of.route(/\/stacks\?/, (route) => {
        const query = new URL(route.request().url()).searchParams;
        const [limit, after] = [Number(query.get('limit')), Number(query.get('cursor') ?? 0)];
        asked.push(limit);
        const ids = Array.from({ length: Math.max(0, Math.min(limit, 10_000 - after)) }, (_, index) => after + index + 1);
        const last = ids.at(-1) ?? 10_000;
        const headers: Record<string, string> = { 'Content-Type': 'application/json' };
        if (last < 10_000) headers['Link'] = `</stacks?limit=${limit}&cursor=${last}>; rel="next"`;
        return route.fulfill({ headers, body: JSON.stringify(ids.map((stack_small_id) => ({ stack_small_id, ...sample }))) });
      }),
  });
  await page.getByRole('link', { name: '100', exact: true }).waitFor();
  for (const last of [200, 300, 400]) {
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('link', { name: `${last}`, exact: true }).waitFor();
  }
  await page.getByRole('button', { name: 'Previous' }).click();
  await page.getByRole('link', { name: '201', exact: true }).waitFor();
  await page.getByRole('button', { name: 'First' }).click();
  await page.getByRole('link', { name: '1', exact: true }).waitFor();
  assert(
    asked.every((limit) => limit <= 100),
    'the page never asks for more than it shows',
  );
  await close();
});
