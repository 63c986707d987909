import type { Transaction } from '../api/types';
import { Digest } from '../ui/id';
import { Mark, words } from '../ui/status';
import { type Column, Table } from '../ui/table';
import { Ago, When } from '../ui/time';

/** The ids of the stacks, the first few linked. */
export function StackLinks({ ids, most = 4 }: { ids: bigint[]; most?: number }) {
  if (ids.length === 0) return <span class="quiet">–</span>;
  return (
    <span class="stack-links">
      {ids.slice(0, most).map((id, index) => (
        <span key={`${id}`}>
          {index > 0 ? ', ' : ''}
          <a href={`#/stacks/${id}`}>{`${id}`}</a>
        </span>
      ))}
      {ids.length > most ? <span class="quiet"> and {ids.length - most} more</span> : null}
    </span>
  );
}

const columns: Column<Transaction>[] = [
  { name: 'Transaction', cell: (row) => <a href={`#/transactions/${row.transaction_id}`}>{`${row.transaction_id}`}</a> },
  { name: 'What', cell: (row) => words(row.kind) },
  { name: 'Status', cell: (row) => <Mark of={row.status} /> },
  { name: 'Stacks', cell: (row) => <StackLinks ids={row.stack_small_ids} /> },
  { name: 'Node', from: 'medium', numeric: true, cell: (row) => `${row.node_small_id ?? '–'}` },
  { name: 'Digest', from: 'medium', cell: (row) => <Digest value={row.tx_digest} /> },
  { name: 'Created', from: 'wide', cell: (row) => <When at={row.created_at} /> },
  { name: 'Changed', cell: (row) => <Ago at={row.updated_at} /> },
  {
    name: 'Why',
    from: 'medium',
    cell: (row) => {
      const error = row.error ?? row.waiting_for;
      return error ? (
        <span class="clip" title={error.error}>
          {error.error}
        </span>
      ) : null;
    },
  },
];

export function TransactionTable({ rows, empty }: { rows: Transaction[]; empty: string }) {
  return <Table caption="Transactions" columns={columns} rows={rows} id={(row) => `${row.transaction_id}`} empty={empty} />;
}
