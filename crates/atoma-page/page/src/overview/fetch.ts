// Fetches the overview's numbers with few, cheap calls: none of them reads the list of stacks.
import { read } from '../api/client';
import type { Earnings } from '../api/types';
import type { Earned, Part, Parts, Sums } from './figures';
import { Metrics } from './metrics';

async function metrics(): Promise<Metrics> {
  const response = await fetch('/metrics', { cache: 'no-store', signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`The metrics can't be read (status ${response.status}).`);
  return new Metrics(await response.text());
}

export async function fetchParts(): Promise<Parts> {
  const found = await metrics();
  const up = found.sum('atoma_sui_node_up');
  const readable = found.sum('atoma_database_readable');
  const part = (stage: string, phase: string): Part => ({
    stage,
    stacks: found.sum('atoma_stacks', { phase }) ?? 0n,
    amount: found.sum('atoma_fees_micro_usdc', { phase }),
  });
  return {
    pipeline: [part('served', 'open'), part('settled', 'settled'), part('claimable', 'claimable'), part('claimed', 'claimed')],
    chain: {
      checkpoint: found.sum('atoma_mirror_checkpoint'),
      lagSeconds: found.sum('atoma_mirror_lag_seconds'),
      isUp: up === undefined ? undefined : up > 0n,
    },
    gas: { balance: found.sum('atoma_gas_balance_mist'), spentDay: found.sum('atoma_gas_spent_last_day_mist') },
    database: {
      isReadable: readable === undefined ? undefined : readable > 0n,
      size: found.sum('atoma_database_size_bytes'),
      diskFree: found.sum('atoma_disk_free_bytes'),
    },
    transactions: {
      queued: found.sum('atoma_transactions', { status: 'queued' }) ?? 0n,
      submitted: found.sum('atoma_transactions', { status: 'submitted' }) ?? 0n,
    },
  };
}

const utcDay = (daysAgo: number): string => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);

const sum = (rows: Earnings[]): Earned =>
  rows.reduce((total, row) => ({ received: total.received + row.received_amount, gas: total.gas + row.gas_used }), {
    received: 0n,
    gas: 0n,
  });

export async function fetchSums(): Promise<Sums> {
  const [days, epochs, nodes, autopilot] = await Promise.all([
    read('/earnings', {}, { by: 'day', from: utcDay(29), limit: 100n }),
    read('/earnings', {}, { by: 'epoch', from: utcDay(3), limit: 10_000n }),
    read('/earnings', {}, { by: 'node', limit: 10_000n }),
    read('/autopilot'),
  ]);
  const today = utcDay(0);
  return {
    today: sum(days.body.filter(({ day }) => day === today)),
    epoch: sum(epochs.body.filter(({ epoch }) => epoch !== null && epoch !== undefined && epoch === autopilot.body.epoch)),
    month: sum(days.body),
    paid: { stage: 'paid', stacks: nodes.body.reduce((count, row) => count + row.claimed_stacks, 0n), amount: sum(nodes.body).received },
  };
}
