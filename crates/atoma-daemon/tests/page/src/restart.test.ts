// A daemon that restarts under an open page.
import { test } from 'node:test';
import { loaded, open } from './browser.js';
import { freePorts, newFolder, start, stop } from './daemon.js';

test('a page outlasts a restart of the daemon', async () => {
  const folder = await newFolder();
  const ports = await freePorts(3);
  const first = await start(folder, ports);
  const { page, close } = await open('/stacks', { base: `http://127.0.0.1:${ports[0]}`, expected: /Failed to load|ERR_/ });
  await loaded(page);
  await page.getByText('Live', { exact: true }).waitFor();
  await stop(first);
  await page.getByText(/^No answer for/).waitFor();
  await start(folder, ports);
  await page.getByText('Live', { exact: true }).waitFor({ timeout: 60_000 });
  await page
    .getByText(/^As of/)
    .first()
    .waitFor({ state: 'detached' });
  await page.getByRole('link', { name: '1', exact: true }).waitFor();
  await close();
});
