// The requests that the page can send.
import type { Batch } from '../api/types';

export type WritePath =
  | '/try_settle_stack_ids'
  | '/submit_stack_settlement_attestations'
  | '/claim_funds'
  | '/withdraw_fees'
  | '/register'
  | '/model_subscribe'
  | '/task_subscribe'
  | '/task_update_subscription'
  | '/task_unsubscribe';

export interface Write {
  path: WritePath;
  body: Record<string, unknown>;
  /** What it does, as a button says it: `Settle 3 stacks`. */
  verb: string;
  /** The kinds of transactions that it makes. */
  kinds: readonly string[];
}

/** The parts that answers of these requests may have. */
export type WriteAnswer = Partial<Batch> & {
  tx_digest?: string | null;
  node_small_id?: bigint;
  node_badge_id?: string;
  warnings?: string[];
};

export interface StackAct {
  name: string;
  path: WritePath;
  duty: 'settle' | 'attest' | 'claim';
  kinds: readonly string[];
  about: string;
}

export const stackActs: Record<'settle' | 'attest' | 'claim', StackAct> = {
  settle: {
    name: 'Settle',
    path: '/try_settle_stack_ids',
    duty: 'settle',
    kinds: ['settle_stack'],
    about:
      'Ends a stack and claims the units that were computed. What is served after it is not paid. The contract allows one settlement in a transaction.',
  },
  attest: {
    name: 'Attest',
    path: '/submit_stack_settlement_attestations',
    duty: 'attest',
    kinds: ['attest_settlement'],
    about: 'Confirms settlements with the nodes that the contract drew, from their own records. One transaction for each node.',
  },
  claim: {
    name: 'Claim',
    path: '/claim_funds',
    duty: 'claim',
    kinds: ['claim_stack', 'claim_confidential_stack'],
    about: 'Pays settled stacks out to you, and what was not used back to the buyer. Many stacks share a transaction.',
  },
};

/** Reads ids such as `13, 14 20-25`. */
export function parseIds(text: string): { ids: bigint[]; wrong: string | undefined } {
  const ids = new Set<bigint>();
  for (const part of text.split(/[\s,;]+/).filter((word) => word !== '')) {
    const [, from, to] = /^(\d{1,20})(?:[-–](\d{1,20}))?$/.exec(part) ?? [];
    if (from === undefined) return { ids: [], wrong: `"${part}" is not an id or a range such as 20-25.` };
    const [first, last] = [BigInt(from), BigInt(to ?? from)];
    if (last < first || last - first >= 1000n) return { ids: [], wrong: `"${part}" is not a range of at most 1,000 ids.` };
    for (let id = first; id <= last; id += 1n) ids.add(id);
  }
  if (ids.size > 1000) return { ids: [], wrong: 'At most 1,000 stacks at a time.' };
  return { ids: [...ids], wrong: undefined };
}

export const stackCount = (count: number): string => (count === 1 ? '1 stack' : `${count} stacks`);
