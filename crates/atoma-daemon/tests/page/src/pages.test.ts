// Every page: it shows something, the console is silent, axe-core finds nothing in light and dark, and nothing is too wide.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { accessible, api, go, loaded, open, sizes, tooWide } from './browser.js';

const routes = [
  '/',
  '/stacks',
  '/stacks/1',
  '/stacks/13',
  '/duties',
  '/transactions',
  '/transactions/1',
  '/earnings?by=node',
  '/earnings?by=task',
  '/earnings?by=epoch',
  '/earnings',
  '/act',
  '/act/settle',
  '/act/attest',
  '/act/claim',
  '/act/withdraw',
  '/act/register',
  '/act/subscribe',
  '/act/price',
  '/act/unsubscribe',
  '/act/model',
  '/nodes',
  '/tasks',
  '/disputes',
  '/alarms',
  '/audit',
  '/settings',
  '/more',
  '/nowhere',
  '/stacks/none',
];

before(async () => {
  await api('/try_settle_stack_ids', { stack_small_ids: [1] });
});

for (const theme of ['light', 'dark'] as const) {
  test(`every page is accessible in ${theme} colours`, async () => {
    const { page, close } = await open('/', { colorScheme: theme });
    await loaded(page);
    for (const route of routes) {
      await go(page, route);
      assert.equal(await page.locator('main [role=alert]').count(), 0, `${route} shows a problem`);
      await accessible(page);
    }
    await close();
  });
}

test('no page is wider than its window: phone, tablet, 200 % zoom', async () => {
  for (const viewport of [sizes.phone, sizes.tablet, { width: sizes.wide.width / 2, height: sizes.wide.height / 2 }]) {
    const { page, close } = await open('/', { viewport });
    await loaded(page);
    for (const route of routes) {
      await go(page, route);
      assert.equal(await tooWide(page), 0, `${route} at ${viewport.width}`);
    }
    await close();
  }
});

test('a step to another page moves the focus to its heading and names it in the title', async () => {
  const { page, close } = await open('/');
  await loaded(page);
  await page.getByRole('link', { name: 'Stacks', exact: true }).click();
  await page.waitForFunction(() => document.activeElement?.tagName === 'H1' && document.activeElement.textContent === 'Stacks');
  assert.equal(await page.title(), 'Stacks · Atoma node');
  await close();
});

test('with reduced motion nothing moves', async () => {
  const { page, close } = await open('/', { reducedMotion: 'reduce', before: (of) => of.route('**/overview', () => undefined) });
  await page.locator('main').waitFor();
  assert.equal(await page.evaluate(() => document.getAnimations().filter(({ playState }) => playState === 'running').length), 0);
  await close();
});

test('the policy forbids inline scripts, other origins and frames', async () => {
  const response = await fetch(`${process.env['PAGE_URL']}/`);
  const policy = response.headers.get('content-security-policy') ?? '';
  for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"])
    assert(policy.includes(part), policy);
  const html = await response.text();
  assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=/);
  const { page, close } = await open('/');
  await loaded(page);
  assert.equal(await page.locator('[style*="url("], script:not([src]), style').count(), 0);
  await close();
});

test('the theme and the density are kept', async () => {
  const { page, close } = await open('/settings', { colorScheme: 'light' });
  await loaded(page);
  await page.getByRole('radio', { name: 'Dark' }).check();
  await page.getByRole('radio', { name: 'Dense' }).check();
  await page.reload();
  await loaded(page);
  assert.deepEqual(await page.evaluate(() => ({ ...document.documentElement.dataset })), { theme: 'dark', density: 'dense' });
  await close();
});
