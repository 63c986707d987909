import type { ClaimedStack, Stack } from '../api/types';

/** How far a stack is, as far as the list of stacks tells. */
export function stageOf(stack: Stack): string {
  if (stack.is_claimed) return 'claimed';
  if (stack.in_settle_period) return 'settled';
  return stack.already_computed_units > 0n ? 'served' : 'bought';
}

/** How far a settled stack is. */
export function settledStage(ticket: ClaimedStack, epoch: bigint | undefined): string {
  if (ticket.is_in_dispute) return 'disputed';
  if (ticket.is_claimed) return 'claimed';
  if (epoch !== undefined && epoch >= ticket.dispute_settled_at_epoch) return 'claimable';
  return ticket.attestation_status === 'Complete' ? 'attested' : 'settled';
}

/** What a stack earns if it is settled as it is, before the charge of the network, in micro-USDC. */
export const value = (stack: Stack): bigint => (stack.already_computed_units * stack.price_per_one_million_compute_units) / 1_000_000n;
