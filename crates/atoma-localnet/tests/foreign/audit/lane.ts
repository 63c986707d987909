// A lane: an account that makes one transaction after another, with a sponsor of its own. Lanes run in
// parallel and share no owned objects.
import type { Signer } from '@mysten/sui/cryptography';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { Secp256k1Keypair } from '@mysten/sui/keypairs/secp256k1';
import { Secp256r1Keypair } from '@mysten/sui/keypairs/secp256r1';
import type { Transaction } from '@mysten/sui/transactions';
import { blake2b } from '@noble/hashes/blake2.js';
import { clients, control, ready } from '../world.js';

export const client = clients['native gRPC'];
const SCHEMES = [Ed25519Keypair, Secp256k1Keypair, Secp256r1Keypair];

/** A coin as a transaction names it, and its value. */
export interface Coin {
  objectId: string;
  version: string;
  digest: string;
  balance: bigint;
}

/** Numbers that are the same in every run. */
export class Random {
  #count = 0;

  constructor(readonly seed: string) {}

  bytes(): Uint8Array {
    this.#count += 1;
    return blake2b(new TextEncoder().encode(`${this.seed} ${this.#count}`), { dkLen: 32 });
  }

  below(limit: number): number {
    return new DataView(this.bytes().buffer).getUint32(0) % limit;
  }
}

export class Lane {
  readonly random: Random;
  readonly key: Signer;
  readonly sponsor: Signer;

  constructor(readonly index: number) {
    this.random = new Random(`audit lane ${index}`);
    this.key = this.#newKey(index);
    this.sponsor = this.#newKey(index + 1);
  }

  #newKey(scheme: number): Signer {
    const pair = SCHEMES[scheme % SCHEMES.length] ?? Ed25519Keypair;
    return pair.fromSecretKey(this.random.bytes());
  }

  get address(): string {
    return this.key.toSuiAddress();
  }

  /** Several coins from the faucet for the account, and one for the sponsor. */
  async fund() {
    for (const [address, sui_mist, usdc] of [
      [this.address, 50_000_000_000, 900_000_000],
      [this.address, 20_000_000_000, 100_000_000],
      [this.sponsor.toSuiAddress(), 50_000_000_000, 0],
    ] as const) {
      await control('/faucet', { address, sui_mist, usdc });
    }
  }

  /** The account's coins, the one of the highest value first. */
  async coins(owner = this.address, coinType?: string): Promise<Coin[]> {
    const { objects } = await client.core.listCoins({ owner, ...(coinType ? { coinType } : {}) });
    return objects
      .map(({ objectId, version, digest, balance }) => ({ objectId, version, digest, balance: BigInt(balance) }))
      .sort((a, b) => Number(b.balance - a.balance));
  }

  async usdc(): Promise<Coin> {
    const [coin] = await this.coins(this.address, ready.usdc_type);
    if (!coin) throw new Error('The lane has no USDC');
    return coin;
  }
}

/** How a transaction ended. */
export interface Outcome {
  succeeded: boolean;
  error: string;
}

/** Builds a transaction without the network's help, signs and executes it. */
export async function execute(transaction: Transaction, signers: Signer[]): Promise<Outcome> {
  const bytes = await transaction.build();
  const signatures = await Promise.all(signers.map(async (signer) => (await signer.signTransaction(bytes)).signature));
  const result = await client.core.executeTransaction({ transaction: bytes, signatures, include: { effects: true } });
  const { status } = (result.Transaction ?? result.FailedTransaction)!;
  return { succeeded: status.success, error: status.error?.message ?? '' };
}
