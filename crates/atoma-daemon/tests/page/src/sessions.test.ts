// Signing in with API tokens, against a daemon that asks for them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { accessible, go, loaded, open } from './browser.js';

const { PAGE_TOKENS_URL: base = '', PAGE_OPERATE_TOKEN: operate = '', PAGE_READ_TOKEN: read = '' } = process.env;
assert(base && operate && read, 'PAGE_TOKENS_URL, PAGE_OPERATE_TOKEN and PAGE_READ_TOKEN must be set');
const refused = /status of 40[13]/;

async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('API token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

test('without a token there is nothing but the question for one', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, close } = await open('/stacks', { base, colorScheme, expected: refused });
    await page.getByRole('heading', { name: 'Atoma node' }).waitFor();
    assert.equal(await page.getByRole('table').count(), 0);
    await accessible(page);
    await close();
  }
});

test('a wrong token is refused in the words of the daemon', async () => {
  const { page, close } = await open('/', { base, expected: refused });
  await signIn(page, 'a-token-that-somebody-guessed');
  await page.getByRole('alert').getByText('unauthorized').waitFor();
  await close();
});

test('the session is in a cookie that scripts cannot read, and outlasts a reload', async () => {
  const { page, close } = await open('/stacks', { base, expected: refused });
  await signIn(page, operate);
  await page.getByRole('heading', { name: 'Stacks' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Stacks' }).waitFor();
  const [cookie, ...others] = await page.context().cookies();
  assert(cookie && others.length === 0);
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'Strict', '/']);
  assert.notEqual(cookie.value, operate);
  assert.equal(await page.evaluate(() => document.cookie), '');
  assert.equal(
    await page.evaluate(
      (token) => Object.values({ ...localStorage, ...sessionStorage }).some((value) => String(value).includes(token)),
      operate,
    ),
    false,
  );
  await page.getByText('operate', { exact: true }).first().waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('API token').waitFor();
  assert.deepEqual(await page.context().cookies(), []);
  await close();
});

test('a token that may only read shows everything and cannot act', async () => {
  const { page, close } = await open('/stacks', { base, expected: refused });
  await signIn(page, read);
  await page.getByRole('link', { name: '1', exact: true }).waitFor();
  await page.getByText('read', { exact: true }).first().waitFor();
  assert.equal(await page.getByRole('checkbox').count(), 0);
  await go(page, '/act/settle?stacks=1');
  await page.getByText('it can look and not act').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Dry run' }).isDisabled(), true);
  const status = await page.evaluate(async () => {
    const headers = { 'Content-Type': 'application/json', 'X-Atoma-Page': '1' };
    return (await fetch('/try_settle_stack_ids?dry_run=true', { method: 'POST', headers, body: '{"stack_small_ids":[1]}' })).status;
  });
  assert.equal(status, 403);
  await accessible(page);
  await close();
});

test('a session that ends is said, and signing in again goes on at the same place', async () => {
  const { page, close } = await open('/stacks/1', { base, expected: refused });
  await signIn(page, operate);
  await page.getByRole('heading', { name: 'Stack 1' }).waitFor();
  await page.context().clearCookies();
  await page.getByRole('link', { name: 'Tasks' }).click();
  await page.getByText('Your session has ended').waitFor();
  await signIn(page, operate);
  await page.getByRole('heading', { name: 'Tasks' }).waitFor();
  await close();
});
