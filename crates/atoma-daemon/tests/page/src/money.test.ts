// From a served stack to its payment, with the keyboard alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { accessible, advanceEpoch, api, go, loaded, open } from './browser.js';

interface Ticket {
  stack_small_id: number;
  is_claimed: boolean;
  requested_attestation_nodes: string;
  attestation_status: string;
}

const ticketOf = async (stack: number): Promise<Ticket> => {
  const [ticket] = await api<Ticket[]>(`/claimed_stacks?limit=1&cursor=${stack - 1}`);
  assert.equal(ticket?.stack_small_id, stack);
  return ticket;
};

/** Presses Tab until the element with this name has the focus. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let steps = 0; steps < 80; steps += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      return (
        element?.getAttribute('aria-label') ??
        (element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : element?.textContent) ??
        ''
      );
    });
    if (name.test(focused.trim())) return;
  }
  assert.fail(`Tab never reaches ${name}`);
}

/** Fills in the stacks, looks at the dry run and confirms it. */
async function act(page: Page, verb: string, stacks: string): Promise<void> {
  await tabTo(page, /^Skip to the content$/);
  await page.keyboard.press('Enter');
  await tabTo(page, /^Stacks$/);
  await page.keyboard.type(stacks);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Dry run: nothing is sent yet' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Dry run: nothing is sent yet');
  await accessible(page);
  await tabTo(page, new RegExp(`^${verb} .*stacks? now$`));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /succeeded/ }).waitFor({ timeout: 60_000 });
  await accessible(page);
}

test('the keyboard alone settles, attests and claims', async () => {
  const { page, close } = await open('/act/settle');
  await loaded(page);
  await act(page, 'Settle', '14, 16');
  assert.equal(await page.getByRole('heading', { level: 2 }).first().innerText(), '2 of 2 succeeded');
  const tickets = [await ticketOf(14), await ticketOf(16)];

  const drawn = tickets.filter(({ requested_attestation_nodes: nodes }) => /[12]/.test(nodes));
  assert(drawn.length > 0, 'the seed of the local network draws a node of ours');
  await page.goto('about:blank');
  await page.goto(`${process.env['PAGE_URL']}/#/act/attest`);
  await loaded(page);
  await act(page, 'Attest', drawn.map(({ stack_small_id: id }) => id).join(' '));

  await advanceEpoch();
  await page.goto('about:blank');
  await page.goto(`${process.env['PAGE_URL']}/#/act/claim`);
  await loaded(page);
  await act(page, 'Claim', '14 16');
  assert.equal(await page.getByRole('heading', { level: 2 }).first().innerText(), '2 of 2 succeeded');
  assert((await ticketOf(14)).is_claimed);

  await go(page, '/stacks/14');
  await page.getByText('Nothing is left to do.').waitFor();
  assert.equal(await page.locator('.history > li').count(), 4);
  await page.locator('.mark.good', { hasText: 'agree' }).waitFor();
  await close();
});

test('what would fail is left out, and says why', async () => {
  const { page, close } = await open('/act/settle?stacks=17,14', { expected: /status of 409/ });
  await loaded(page);
  await page.getByRole('button', { name: 'Dry run' }).click();
  await page.getByText('1 stack would fail and is left out.').waitFor();
  await page.getByRole('button', { name: 'Settle 1 stack now' }).click();
  await page.getByRole('heading', { name: '1 of 1 succeeded' }).waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Another one' }).click();
  await page.getByLabel('Stacks', { exact: true }).fill('14');
  await page.getByRole('button', { name: 'Dry run' }).click();
  await page.getByText('Nothing of this can be done now.').waitFor();
  await page
    .getByRole('cell', { name: /claimed|settle/ })
    .first()
    .waitFor();
  await close();
});

test('a selection of the list is settled', async () => {
  const { page, close } = await open('/stacks?node=2&task=3');
  await loaded(page);
  await page.getByLabel('Select 31', { exact: true }).check();
  await page.getByLabel('Select 32', { exact: true }).check();
  await page.getByText('2 stacks selected').waitFor();
  await page.getByRole('link', { name: 'Settle…' }).click();
  await page.getByRole('button', { name: 'Dry run' }).click();
  await page.getByRole('button', { name: 'Settle 2 stacks now' }).click();
  await page.getByRole('heading', { name: '2 of 2 succeeded' }).waitFor({ timeout: 60_000 });
  await close();
});

test('a price is changed to the last micro-USDC', async () => {
  const { page, close } = await open('/nodes');
  await loaded(page);
  await page.getByRole('link', { name: 'Change the price of task 1 on node 1' }).click();
  await page.getByLabel('Price of one million units, in USDC').fill('1.2345678');
  await page.getByText('at most six decimals').waitFor();
  await page.getByLabel('Price of one million units, in USDC').fill('1.234567');
  await page.getByText('1234567 micro-USDC').waitFor();
  await page.getByRole('button', { name: 'Dry run' }).click();
  await page.getByRole('button', { name: 'Change a price now' }).click();
  await page.getByRole('heading', { name: 'Done' }).waitFor({ timeout: 60_000 });
  const subscriptions = await api<{ task_small_id: number; price_per_one_million_compute_units: number }[]>('/subscriptions/1');
  assert.equal(subscriptions.find(({ task_small_id: id }) => id === 1)?.price_per_one_million_compute_units, 1_234_567);
  await close();
});

test('a node is registered', async () => {
  const { page, close } = await open('/act/register');
  await loaded(page);
  await page.getByText('This registers another one.').waitFor();
  await page.getByRole('button', { name: 'Dry run' }).click();
  await page.getByRole('button', { name: 'Register a node now' }).click();
  await page.getByRole('heading', { name: 'Done' }).waitFor({ timeout: 60_000 });
  await go(page, '/nodes');
  await page.getByRole('heading', { name: 'Node 5' }).waitFor();
  await close();
});

test('a transaction shows its attempts on a line of time', async () => {
  const { page, close } = await open('/transactions?status=succeeded');
  await loaded(page);
  await page.getByRole('row').nth(1).getByRole('link').first().click();
  await page.getByRole('img', { name: /^1 attempts? in .*succeeded/ }).waitFor();
  await page
    .getByRole('button', { name: /^Copy digest / })
    .first()
    .waitFor();
  await close();
});
