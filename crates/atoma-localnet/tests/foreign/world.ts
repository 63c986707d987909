// The network as other programs find it: its ready file and the keystores in its data directory.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChannelCredentials } from '@grpc/grpc-js';
import type { Signer } from '@mysten/sui/cryptography';
import { SuiGrpcClient } from '@mysten/sui/grpc';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { Secp256k1Keypair } from '@mysten/sui/keypairs/secp256k1';
import { Secp256r1Keypair } from '@mysten/sui/keypairs/secp256r1';
import { fromBase64 } from '@mysten/sui/utils';
import { GrpcTransport } from '@protobuf-ts/grpc-transport';

interface Ready {
  url: string;
  admin_url: string;
  faucet_url: string;
  data_dir: string;
  package_id: string;
  atoma_db_id: string;
  usdc_type: string;
}

const [dir = ''] = process.argv.slice(2);
export const ready = JSON.parse(readFileSync(join(dir, 'ready.json'), 'utf8')) as Ready;

/** The key of an account. The first byte of an entry names the signature scheme. */
export function keyOf(account: string): Signer {
  const path = join(ready.data_dir, 'keys', `${account}.keystore`);
  const [entry = ''] = JSON.parse(readFileSync(path, 'utf8')) as string[];
  const [flag, ...secret] = fromBase64(entry);
  const pair = [Ed25519Keypair, Secp256k1Keypair, Secp256r1Keypair][flag ?? -1];
  if (!pair) throw new Error(`${path} has a key of the unknown scheme ${flag}`);
  return pair.fromSecretKey(Uint8Array.from(secret));
}

/** The clients by transport: grpc-web over fetch, as in browsers, and native gRPC. */
export const clients = {
  'grpc-web': new SuiGrpcClient({ network: 'localnet', baseUrl: ready.url }),
  'native gRPC': new SuiGrpcClient({
    network: 'localnet',
    transport: new GrpcTransport({
      host: new URL(ready.url).host,
      channelCredentials: ChannelCredentials.createInsecure(),
    }),
  }),
};

/** A control call. */
export async function control(path: string, body: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(`${ready.admin_url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
  return answer;
}
