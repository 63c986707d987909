// Every amount with its transaction.
import type { Query } from '../api/client';
import type { BookLine } from '../api/types';
import { Usdc } from '../ui/amount';
import { Digest } from '../ui/id';
import { Loaded } from '../ui/loaded';
import { PageButtons, usePage } from '../ui/pages';
import { words } from '../ui/status';
import { type Column, Table } from '../ui/table';
import { When } from '../ui/time';

const columns: Column<BookLine>[] = [
  { name: 'Time', cell: (row) => <When at={row.timestamp} /> },
  { name: 'What', cell: (row) => words(row.kind) },
  { name: 'Amount, USDC', numeric: true, cell: (row) => <Usdc value={row.amount} bare /> },
  { name: 'Node', numeric: true, cell: (row) => `${row.node_small_id}` },
  {
    name: 'Stack',
    numeric: true,
    cell: (row) =>
      row.stack_small_id === null || row.stack_small_id === undefined ? (
        '–'
      ) : (
        <a href={`#/stacks/${row.stack_small_id}`}>{`${row.stack_small_id}`}</a>
      ),
  },
  { name: 'Epoch', numeric: true, from: 'medium', cell: (row) => `${row.epoch}` },
  { name: 'Transaction', from: 'medium', cell: (row) => <Digest value={row.tx_digest} /> },
];

export function Lines({ of }: { of: Query }) {
  const page = usePage('/earnings/lines', {}, { ...of, limit: 50n }, ['applied']);
  return (
    <section aria-labelledby="lines">
      <h2 id="lines">Lines</h2>
      <Loaded of={page} what="the lines">
        {({ body, next }) => (
          <>
            <Table
              caption="Lines of the books"
              columns={columns}
              rows={body}
              id={(row) => `${row.tx_digest} ${row.kind} ${row.node_small_id} ${row.stack_small_id}`}
              empty="No money moved in this time."
            />
            <PageButtons next={next} count={body.length} what="lines" />
          </>
        )}
      </Loaded>
    </section>
  );
}
