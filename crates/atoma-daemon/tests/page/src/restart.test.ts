// A daemon that restarts under an open page.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loaded, open } from './browser.js';

const { PAGE_DAEMON: program = '' } = process.env;
assert(program, 'PAGE_DAEMON must name the program');
const running: ChildProcess[] = [];
after(() => running.forEach((child) => child.kill('SIGKILL')));

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Starts the daemon and waits until it says where its API is. */
function start(folder: string, [http, sui, admin]: number[]): Promise<ChildProcess> {
  const address = (port: number | undefined) => `127.0.0.1:${port}`;
  const options = ['--data-dir', folder, '--http-addr', address(http), '--sui-addr', address(sui), '--admin-addr', address(admin)];
  const child = spawn(program, ['dev', ...options, '--consensus-ms', '20', '--checkpoint-ms', '50'], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (data: Buffer) => {
      if (data.toString().includes('Press Ctrl-C')) resolve(child);
    });
    child.stderr.resume();
    child.on('exit', (code) => reject(new Error(`The daemon ended with ${code}.`)));
  });
}

test('a page outlasts a restart of the daemon', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'atoma-page-'));
  const ports = await freePorts(3);
  const first = await start(folder, ports);
  const { page, close } = await open('/stacks', { base: `http://127.0.0.1:${ports[0]}`, expected: /Failed to load|ERR_/ });
  await loaded(page);
  await page.getByText('Live', { exact: true }).waitFor();
  const ended = new Promise((resolve) => first.on('exit', resolve));
  first.kill('SIGTERM');
  await ended;
  await page.getByText(/^No answer for/).waitFor();
  await start(folder, ports);
  await page.getByText('Live', { exact: true }).waitFor({ timeout: 60_000 });
  await page
    .getByText(/^As of/)
    .first()
    .waitFor({ state: 'detached' });
  await page.getByRole('link', { name: '1', exact: true }).waitFor();
  await close();
  running.forEach((child) => child.kill('SIGKILL'));
  await rm(folder, { recursive: true, force: true });
});
