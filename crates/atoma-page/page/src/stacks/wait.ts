// Why a stack stands still, in sentences.
import type { StackHistory } from '../api/types';

type Wait = NonNullable<StackHistory['waits']>;

const reasons: Record<string, string> = {
  not_served: 'Nothing was recorded for it yet.',
  reserved: 'Units are reserved. Wait for the work, or release the reservation.',
  not_settled: 'It can be settled.',
  epoch: 'It can be claimed in a later epoch.',
  not_claimed: 'It can be claimed.',
  disputed: 'It is in a dispute. This revision of the contract resolves none: its funds are frozen.',
  task_removed: 'Its task was removed. The contract neither settles nor pays its stacks.',
};

export function waitSentence(wait: Wait): string {
  const until = wait.until_epoch === null || wait.until_epoch === undefined ? '' : ` until epoch ${wait.until_epoch}`;
  if (wait.reason === 'missing_attestations') {
    const nodes = wait.missing_nodes.map((node) => `node ${node}`).join(' and ');
    return `${nodes} can attest${until}. Then it can be claimed without ${wait.missing_nodes.length === 1 ? 'it' : 'them'}.`;
  }
  if (wait.reason === 'epoch' && wait.until_epoch !== null && wait.until_epoch !== undefined)
    return `It can be claimed from epoch ${wait.until_epoch} on.`;
  return reasons[wait.reason] ?? `${wait.reason.replaceAll('_', ' ')}${until}.`;
}

/** The request that takes it further, if there is one. */
export const nextAct = (wait: Wait | null | undefined): 'settle' | 'attest' | 'claim' | undefined =>
  wait?.reason === 'not_settled'
    ? 'settle'
    : wait?.reason === 'missing_attestations'
      ? 'attest'
      : wait?.reason === 'not_claimed'
        ? 'claim'
        : undefined;
