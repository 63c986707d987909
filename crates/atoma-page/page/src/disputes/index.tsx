import { read } from '../api/client';
import type { Dispute } from '../api/types';
import { useResource } from '../live/resource';
import { Id } from '../ui/id';
import { Loaded } from '../ui/loaded';
import { type Column, Table } from '../ui/table';

const columns: Column<Dispute>[] = [
  { name: 'Stack', cell: ({ stack_small_id: id }) => <a href={`#/stacks/${id}`}>{`${id}`}</a> },
  { name: 'Raised by', cell: (row) => `node ${row.plaintiff_node_id}` },
  { name: 'Against', cell: (row) => `node ${row.defendant_node_id}` },
  { name: 'Epoch', numeric: true, cell: (row) => `${row.created_at_epoch}` },
  { name: 'Ticket', from: 'medium', cell: (row) => <Id value={row.original_hash} what="hash" /> },
  { name: 'Attested', from: 'medium', cell: (row) => <Id value={row.disputed_hash} what="hash" /> },
  { name: 'Resolution', cell: (row) => row.resolution_status.toLowerCase() },
];

function List({ title, name, fetcher }: { title: string; name: string; fetcher: () => Promise<Dispute[]> }) {
  const disputes = useResource(`disputes ${name}`, fetcher, ['applied'], 3000);
  return (
    <section aria-labelledby={name}>
      <h2 id={name}>{title}</h2>
      <Loaded of={disputes} what="the disputes" lines={2}>
        {(rows) => (
          <Table caption={title} columns={columns} rows={rows} id={(row) => `${row.dispute_id} ${row.plaintiff_node_id}`} empty="None." />
        )}
      </Loaded>
    </section>
  );
}

export function Disputes() {
  return (
    <>
      <h1 tabIndex={-1}>Disputes</h1>
      <p class="lead">This revision of the contract resolves no dispute. The funds of a disputed stack stay frozen.</p>
      <List
        title="Against your nodes"
        name="against"
        fetcher={async () => (await read('/against_attestation_disputes', {}, { limit: 1000n })).body}
      />
      <List
        title="Raised by your nodes"
        name="own"
        fetcher={async () => (await read('/own_attestation_disputes', {}, { limit: 1000n })).body}
      />
    </>
  );
}
