// Daemons that a test starts and stops itself.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

const { PAGE_DAEMON: program = '' } = process.env;
assert(program, 'PAGE_DAEMON must name the program');
const running: ChildProcess[] = [];
const folders: string[] = [];
after(async () => {
  await Promise.all(running.map(stop));
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});

/** A new folder for a daemon's files. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'atoma-page-'));
  folders.push(folder);
  return folder;
}

/** Stops a daemon and waits until it has ended. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Starts the daemon with a local network, and waits until it says where its API is. */
export function start(folder: string, [http, sui, admin]: number[], ...more: string[]): Promise<ChildProcess> {
  const address = (port: number | undefined) => `127.0.0.1:${port}`;
  const options = ['--data-dir', folder, '--http-addr', address(http), '--sui-addr', address(sui), '--admin-addr', address(admin)];
  const child = spawn(program, ['dev', ...options, '--consensus-ms', '20', '--checkpoint-ms', '50', ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (data: Buffer) => {
      if (data.toString().includes('Press Ctrl-C')) resolve(child);
    });
    child.stderr.resume();
    child.on('exit', (code) => reject(new Error(`The daemon ended with ${code}.`)));
  });
}
