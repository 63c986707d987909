// An open page under load: it stays smooth, and costs the daemon little.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, loaded, open } from './browser.js';

interface Stack {
  stack_small_id: number;
  in_settle_period: boolean;
  is_claimed: boolean;
}

/** Changes 500 transactions of a canned journal again and again, as an engine under load does. */
function journal(count: number) {
  let round = 0;
  return (limit: number) => {
    round += 1;
    return Array.from({ length: Math.min(limit, count) }, (_, index) => ({
      transaction_id: 1000 - index,
      kind: 'settle_stack',
      status: ['queued', 'submitted', 'succeeded'][(index + round) % 3],
      tx_digest: null,
      node_small_id: 1,
      stack_small_ids: [index + 1],
      created_at: '2026-11-29T00:00:00Z',
      updated_at: new Date().toISOString(),
      error: null,
      waiting_for: null,
    }));
  };
}

test('the list of transactions stays smooth while 500 run', async () => {
  const rows = journal(500);
  let asked = 0;
  const { page, close } = await open('/transactions', {
    before: async (of) => {
      // An event after each read keeps the page reading as fast as it ever does.
      await of.route('**/events/stream', (route) =>
        route.fulfill({ contentType: 'text/event-stream', body: 'id: 1-1\nevent: transactions\ndata: {}\n\n' }),
      );
      await of.route(/\/transactions\?/, (route) => {
        asked += 1;
        return route.fulfill({
          contentType: 'application/json',
          body: JSON.stringify(rows(Number(new URL(route.request().url()).searchParams.get('limit')))),
        });
      });
    },
  });
  await loaded(page);
  const { frames, slowest } = await page.evaluate(
    () =>
      new Promise<{ frames: number; slowest: number }>((resolve) => {
        const times: number[] = [];
        const step = (time: number) => {
          times.push(time);
          const first = times[0] ?? time;
          if (time - first < 5000) requestAnimationFrame(step);
          else {
            const gaps = times
              .slice(1)
              .map((at, index) => at - (times[index] ?? at))
              .sort((a, b) => a - b);
            resolve({ frames: ((times.length - 1) * 1000) / (time - first), slowest: gaps[Math.floor(gaps.length * 0.99)] ?? 0 });
          }
        };
        requestAnimationFrame(step);
      }),
  );
  console.log(`${frames.toFixed(1)} frames a second, 99 % of them within ${slowest.toFixed(1)} ms, ${asked} reads`);
  assert(asked > 1, 'the list was never read again');
  await close();
});

test('the overview is usable soon', async () => {
  const { page, close } = await open('/');
  await page.locator('.pipeline').waitFor();
  await page.reload();
  await page.locator('.pipeline').waitFor();
  const shown = await page.evaluate(() => performance.now());
  console.log(`the overview's numbers are there ${shown.toFixed(0)} ms after the reload began`);
  await close();
});

test('500 stacks in one list and an act over all that wait', async () => {
  const stacks = await api<Stack[]>('/stacks');
  assert(stacks.length > 0);
  const { page, close } = await open('/act/settle');
  await loaded(page);
  await page.getByRole('button', { name: /^All that wait/ }).click();
  await page.getByText(/^\d+ stacks$/).waitFor();
  await close();
});
