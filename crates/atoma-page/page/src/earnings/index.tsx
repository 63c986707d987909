// What was earned, by the books.
import { useMemo } from 'preact/hooks';
import { address, read } from '../api/client';
import type { Earnings as Sum } from '../api/types';
import { useResource } from '../live/resource';
import { replaceQuery, route } from '../shell/route';
import { Count, Sui, Usdc } from '../ui/amount';
import { Choice, Field, Switch } from '../ui/form';
import { Loaded } from '../ui/loaded';
import { taskName, useNodes, useTasks } from '../ui/names';
import { type Column, Table } from '../ui/table';
import { Lines } from './lines';
import { Plot } from './plot';
import { Checked } from './checked';

type By = 'node' | 'task' | 'epoch' | 'day';
const bys = [
  ['day', 'Day'],
  ['epoch', 'Epoch'],
  ['node', 'Node'],
  ['task', 'Task'],
] as const;

export const nameOf = (sum: Sum, by: By, tasks: Parameters<typeof taskName>[0]): string =>
  by === 'node'
    ? `node ${sum.node_small_id ?? '–'}`
    : by === 'task'
      ? taskName(tasks, sum.task_small_id)
      : by === 'epoch'
        ? sum.epoch === null || sum.epoch === undefined
          ? 'no epoch'
          : `${sum.epoch}`
        : (sum.day ?? 'unknown');

function columns(by: By, tasks: Parameters<typeof taskName>[0]): Column<Sum>[] {
  return [
    { name: by.charAt(0).toUpperCase() + by.slice(1), cell: (row) => nameOf(row, by, tasks) },
    { name: 'Received', numeric: true, cell: (row) => <Usdc value={row.received_amount} bare /> },
    { name: 'Fees', numeric: true, from: 'medium', cell: (row) => <Usdc value={row.fee_amount} bare /> },
    { name: 'Shares', numeric: true, from: 'wide', cell: (row) => <Usdc value={row.share_amount} bare /> },
    { name: 'Forfeited', numeric: true, from: 'wide', cell: (row) => <Usdc value={row.forfeited_amount} bare /> },
    { name: 'Refunded', numeric: true, from: 'wide', cell: (row) => <Usdc value={row.refund_amount} bare /> },
    ...(by === 'node' ? [{ name: 'Owed to you', numeric: true, cell: (row: Sum) => <Usdc value={row.owed_amount} bare /> }] : []),
    { name: 'Stacks claimed', numeric: true, from: 'medium', cell: (row) => <Count value={row.claimed_stacks} /> },
    { name: 'Gas, SUI', numeric: true, cell: (row) => <Sui value={row.gas_used} bare /> },
  ];
}

const day = /^\d{4}-\d{2}-\d{2}$/;

export function Earnings() {
  const { query } = route.value;
  const by = (bys.find(([id]) => id === query.get('by'))?.[0] ?? 'day') as By;
  const period = { from: query.get('from') ?? '', to: query.get('to') ?? '', node: query.get('node') ?? '' };
  const valid = { from: day.test(period.from) ? period.from : '', to: day.test(period.to) ? period.to : '' };
  const nodes = useNodes().data ?? [];
  const tasks = useTasks().data;
  const of = { ...valid, node_small_id: /^\d{1,19}$/.test(period.node) ? BigInt(period.node) : undefined };
  const sums = useResource(
    `earnings ${by} ${valid.from} ${valid.to} ${period.node}`,
    async () => (await read('/earnings', {}, { by, ...of, limit: 1000n })).body,
    ['applied'],
    5000,
  );
  const bars = useMemo(
    () => (sums.data ?? []).slice(-120).map((sum) => ({ name: nameOf(sum, by, tasks), received: sum.received_amount, gas: sum.gas_used })),
    [sums.data, by, tasks],
  );
  const set = (changes: Record<string, string>) =>
    replaceQuery(Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, value || undefined])));
  return (
    <>
      <h1 tabIndex={-1}>Earnings</h1>
      <div class="filters">
        <Switch label="By" value={by} options={bys} set={(value) => set({ by: value })} />
        <Field label="From (UTC)" type="date" value={period.from} set={(from) => set({ from })} />
        <Field label="To (UTC)" type="date" value={period.to} set={(to) => set({ to })} />
        <Choice
          label="Node"
          value={period.node}
          options={[['', 'all'], ...nodes.map(({ node_small_id: id }) => [`${id}`, `node ${id}`] as const)]}
          set={(node) => set({ node })}
        />
        <a class="button" download="earnings.csv" href={address('/earnings/lines', {}, { ...of, format: 'csv', limit: 10_000n })}>
          Export CSV
        </a>
      </div>
      <Loaded of={sums} what="the earnings" lines={8}>
        {(rows) => (
          <>
            {bars.length > 0 ? <Plot bars={bars} label={`Received amounts and gas by ${by}. The table below has the numbers.`} /> : null}
            <Table
              caption={`Earnings by ${by}, in USDC`}
              columns={columns(by, tasks)}
              rows={rows}
              id={(row) => nameOf(row, by, tasks)}
              empty="Nothing was earned in this time."
            />
            {rows.some(({ unknown_lines: unknown }) => unknown > 0n) ? (
              <p class="notice stale">Some amounts are not known. They are not in these sums.</p>
            ) : null}
          </>
        )}
      </Loaded>
      <Checked />
      <Lines of={of} />
    </>
  );
}
