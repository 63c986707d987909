// The autopilot on the page: what it does, its pause, and that it goes on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessible, loaded, open } from './browser.js';
import { freePorts, newFolder, start } from './daemon.js';

test('the autopilot is paused with a note and resumed', async () => {
  const ports = await freePorts(3);
  await start(await newFolder(), ports, '--autopilot');
  const { page, close } = await open('/duties', { base: `http://127.0.0.1:${ports[0]}` });
  await loaded(page);
  const autopilot = page.getByRole('region', { name: 'Autopilot' });
  const is = (mode: string) => autopilot.locator('.panel-head').getByText(mode, { exact: true }).waitFor();
  await is('on');

  await autopilot.getByRole('button', { name: 'Pause…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Pause the autopilot' });
  await dialog.waitFor();
  await accessible(page);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Pause…');

  await autopilot.getByRole('button', { name: 'Pause…' }).click();
  await dialog.getByLabel('What stops').selectOption('all');
  await dialog.getByText('A node that does not attest in time loses its share.').waitFor();
  await dialog.getByLabel('Note').fill('replacing <b>disks</b>');
  await dialog.getByRole('button', { name: 'Pause' }).click();
  await is('paused');
  await autopilot.getByText('replacing <b>disks</b>').waitFor();

  await autopilot.getByRole('button', { name: 'Resume' }).click();
  await is('on');
  await autopilot.getByText('Rules').click();
  await autopilot.getByText('autopilot.settle_fill_percent').waitFor();
  await close();
});
