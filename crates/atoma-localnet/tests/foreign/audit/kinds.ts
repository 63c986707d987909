// The kinds of transactions that a lane makes.
import type { Signer } from '@mysten/sui/cryptography';
import { Inputs, Transaction } from '@mysten/sui/transactions';
import { ready } from '../world.js';
import type { Coin, Lane } from './lane.js';

/** A transaction of a kind, with what is not the usual about its gas. */
interface Draft {
  transaction: Transaction;
  /** The gas coins; the lane's first coin by default. */
  gas?: Coin[];
  budget?: bigint;
  sponsor?: Signer;
}

export interface Kind {
  /** What the error says if such a transaction fails. */
  fails?: RegExp;
  /** The number of SUI coins, each worth a gas budget, that the lane must have. */
  coins?: number;
  draft(lane: Lane, coins: Coin[], to: string, context: Context): Promise<Draft> | Draft;
}

/** What changes from round to round. */
export interface Context {
  gasPrice: bigint;
  packageId: string;
}

/** The usual gas budget, in MIST. */
export const BUDGET = 50_000_000n;

function drafting(build: (transaction: Transaction, lane: Lane, coins: Coin[], to: string) => void): Kind['draft'] {
  return (lane, coins, to) => {
    const transaction = new Transaction();
    build(transaction, lane, coins, to);
    return { transaction };
  };
}

const split = (transaction: Transaction, amounts: number[]) => {
  const coins = transaction.splitCoins(transaction.gas, amounts);
  return amounts.map((_, index) => coins[index]!);
};
const owned = (transaction: Transaction, coin: Coin) => transaction.object(Inputs.ObjectRef(coin));
const pay = drafting((transaction, lane, _, to) => {
  transaction.transferObjects(split(transaction, [1 + lane.random.below(1_000_000)]), to);
});

/** Buys a stack; at a price of 0 the contract aborts. */
function purchase(price: number): Kind['draft'] {
  return async (lane, _, __, { packageId }) => {
    const transaction = new Transaction();
    transaction.moveCall({
      target: `${packageId}::db::acquire_new_stack_entry`,
      arguments: [
        transaction.object(Inputs.SharedObjectRef({ objectId: ready.atoma_db_id, initialSharedVersion: 1, mutable: true })),
        owned(transaction, await lane.usdc()),
        transaction.pure.u64(1),
        transaction.pure.u64(1 + lane.random.below(1_000)),
        transaction.pure.u64(price),
        transaction.object(Inputs.SharedObjectRef({ objectId: '0x8', initialSharedVersion: 1, mutable: false })),
      ],
    });
    return { transaction };
  };
}

export const KINDS: Record<string, Kind> = {
  pay: { draft: pay },
  split: {
    draft: drafting((transaction, lane) => {
      transaction.transferObjects(split(transaction, [300_000_000, 200_000_000, 1]), lane.address);
    }),
  },
  merge: {
    coins: 3,
    draft: drafting((transaction, _, [, into, ...from]) => {
      transaction.mergeCoins(
        owned(transaction, into!),
        from.slice(0, 3).map((coin) => owned(transaction, coin)),
      );
    }),
  },
  'many gas coins': {
    coins: 3,
    draft: (lane, coins, to, context) => ({ ...(pay(lane, coins, to, context) as Draft), gas: coins.slice(0, 4) }),
  },
  'gas coin given away': {
    coins: 2,
    draft: (_, coins, to) => {
      const transaction = new Transaction();
      transaction.transferObjects([transaction.gas], to);
      return { transaction, gas: coins.slice(1, 2) };
    },
  },
  sponsored: {
    coins: 2,
    draft: async (lane, [, coin], to) => {
      const transaction = new Transaction();
      transaction.transferObjects([owned(transaction, coin!)], to);
      return { transaction, sponsor: lane.sponsor, gas: await lane.coins(lane.sponsor.toSuiAddress()) };
    },
  },
  'USDC payment': {
    draft: async (lane, _, to) => {
      const transaction = new Transaction();
      const [coin] = transaction.splitCoins(owned(transaction, await lane.usdc()), [1 + lane.random.below(1_000)]);
      transaction.transferObjects([coin!], to);
      return { transaction };
    },
  },
  'zero coin': {
    draft: drafting((transaction, _, __, to) => {
      const [coin] = transaction.moveCall({ target: '0x2::coin::zero', typeArguments: [ready.usdc_type] });
      transaction.transferObjects([coin!], to);
    }),
  },
  'coin through a balance': {
    coins: 2,
    draft: drafting((transaction, _, [, coin], to) => {
      const typeArguments = ['0x2::sui::SUI'];
      const balance = transaction.moveCall({ target: '0x2::coin::into_balance', typeArguments, arguments: [owned(transaction, coin!)] });
      const [again] = transaction.moveCall({ target: '0x2::coin::from_balance', typeArguments, arguments: [balance] });
      transaction.transferObjects([again!], to);
    }),
  },
  purchase: { draft: purchase(1_000_000) },
  'purchase that aborts': { fails: /abort/i, draft: purchase(0) },
  'coin not empty': {
    fails: /abort/i,
    draft: drafting((transaction) => {
      const coins = split(transaction, [5]);
      transaction.moveCall({ target: '0x2::coin::destroy_zero', typeArguments: ['0x2::sui::SUI'], arguments: coins });
    }),
  },
  overdraft: {
    fails: /insufficient/i,
    coins: 2,
    draft: drafting((transaction, lane, [, coin]) => {
      const [more] = transaction.splitCoins(owned(transaction, coin!), [coin!.balance + 1n]);
      transaction.transferObjects([more!], lane.address);
    }),
  },
  'out of gas': {
    fails: /gas/i,
    draft: (lane, coins, _, { gasPrice }) => {
      const transaction = new Transaction();
      transaction.transferObjects(split(transaction, [1, 2, 3, 4]), lane.address);
      return { transaction, budget: gasPrice * 1_000n + 2_000_000n };
    },
  },
  'no gas for its inputs': {
    fails: /gas/i,
    coins: 3,
    draft: (lane, coins, to, context) => {
      const budget = context.gasPrice * 1_000n;
      return { ...(pay(lane, coins, to, context) as Draft), budget, gas: coins.slice(0, 2) };
    },
  },
};

/** The transaction of a draft, ready to be built offline, and its signers. */
export function complete(draft: Draft, lane: Lane, coins: Coin[], gasPrice: bigint): [Transaction, Signer[]] {
  const { transaction, gas = coins.slice(0, 1), budget = BUDGET, sponsor } = draft;
  transaction.setSender(lane.address);
  if (sponsor) transaction.setGasOwner(sponsor.toSuiAddress());
  transaction.setGasPrice(gasPrice);
  transaction.setGasBudget(budget);
  transaction.setGasPayment(gas.map(({ objectId, version, digest }) => ({ objectId, version, digest })));
  return [transaction, sponsor ? [lane.key, sponsor] : [lane.key]];
}
