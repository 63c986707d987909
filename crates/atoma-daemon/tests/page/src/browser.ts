// Opens the page in Chromium. What the browser's console says, and every request to another origin, fails the test.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import AxeBuilder from '@axe-core/playwright';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const { PAGE_URL, PAGE_ADMIN_URL, CHROMIUM } = process.env;
assert(PAGE_URL && PAGE_ADMIN_URL && CHROMIUM, 'PAGE_URL, PAGE_ADMIN_URL and CHROMIUM must be set');
export const url = PAGE_URL;
export const adminUrl = PAGE_ADMIN_URL;

let browser: Browser | undefined;
after(async () => browser?.close());

export const sizes = { wide: { width: 1440, height: 900 }, tablet: { width: 820, height: 1180 }, phone: { width: 390, height: 844 } };
export type Size = keyof typeof sizes;

interface Options extends BrowserContextOptions {
  size?: Size;
  /** Messages of the console that this test provokes. */
  expected?: RegExp;
  /** What to do before the page is opened, such as to put answers of its own before the daemon's. */
  before?: (page: Page) => Promise<unknown>;
  /** Another daemon than that of the suite. */
  base?: string;
}

export interface Opened {
  page: Page;
  /** Fails if the console said anything, or if the page asked anybody but its daemon. Closes the page. */
  close: () => Promise<void>;
}

/** Opens a route of the page in a context of its own. */
export async function open(route: string, { size = 'wide', expected, before, base = url, ...options }: Options = {}): Promise<Opened> {
  browser ??= await chromium.launch({ executablePath: CHROMIUM ?? '' });
  const context = await browser.newContext({ viewport: sizes[size], ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  const { origin } = new URL(base);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !expected?.test(message.text())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.stack ?? String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith('data:')) problems.push(`request to ${request.url()}`);
  });
  await before?.(page);
  await page.goto(`${base}/#${route}`);
  return {
    page,
    close: async () => {
      await context.close();
      assert.deepEqual(problems, []);
    },
  };
}

/** Waits until everything on the page is loaded. */
export async function loaded(page: Page): Promise<void> {
  await page.locator('main h1').first().waitFor({ state: 'attached' });
  await page.waitForFunction(() => document.querySelector('.skeleton') === null);
}

/** Goes to another route, as a link does. */
export async function go(page: Page, route: string): Promise<void> {
  await page.evaluate((to) => {
    location.hash = to;
  }, route);
  await loaded(page);
}

/** Fails if axe-core finds anything to complain about. */
export async function accessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`).join('\n')}`,
  );
  assert.deepEqual(found, []);
}

/** By how many pixels the page is wider than the window. */
export const tooWide = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Ends an epoch of the local network. */
export async function advanceEpoch(): Promise<void> {
  assert((await fetch(`${adminUrl}/epoch/advance`, { method: 'POST' })).ok);
}

/** Asks the API directly, without the page. */
export async function api<T>(path: string, body?: unknown): Promise<T> {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
  const response = await fetch(`${url}${path}`, init);
  assert(response.ok, `${path}: ${response.status} ${await response.clone().text()}`);
  return (await response.json()) as T;
}

/** Answers of a test's own in place of the daemon's. */
export async function answer(page: Page, path: string | RegExp, body: unknown, status = 200): Promise<void> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  await page.route(
    (address) => (typeof path === 'string' ? address.pathname === path : path.test(address.pathname + address.search)),
    (route) => route.fulfill({ status, contentType: 'application/json', body: text }),
  );
}
