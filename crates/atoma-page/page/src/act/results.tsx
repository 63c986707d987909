// One result per stack and node, as the API gives them.
import type { StackResult } from '../api/types';
import { Sui } from '../ui/amount';
import { Digest } from '../ui/id';
import { Mark } from '../ui/status';
import { type Column, Table } from '../ui/table';

const why = ({ error, warnings }: StackResult) => (
  <>
    {error ? (
      <span>
        {error.error} <code class="code">{error.code}</code>
      </span>
    ) : null}
    {warnings.map((warning) => (
      <span key={warning} class="warning">
        {warning}
      </span>
    ))}
  </>
);

const stack: Column<StackResult> = { name: 'Stack', cell: ({ stack_small_id: id }) => <a href={`#/stacks/${id}`}>{`${id}`}</a> };
const node: Column<StackResult> = { name: 'Node', numeric: true, cell: ({ node_small_id: id }) => `${id ?? '–'}` };

const expected: Column<StackResult>[] = [
  stack,
  node,
  {
    name: 'Result',
    cell: ({ status }) => (
      <Mark of={status === 'failed' ? 'failed' : 'succeeded'}>{status === 'failed' ? 'would fail' : 'would succeed'}</Mark>
    ),
  },
  { name: 'Gas at most, SUI', numeric: true, from: 'medium', cell: ({ estimated_gas: gas }) => <Sui value={gas} bare /> },
  { name: 'Why', cell: why },
];

const final: Column<StackResult>[] = [
  stack,
  node,
  { name: 'Result', cell: ({ status }) => <Mark of={status} /> },
  {
    name: 'Transaction',
    cell: ({ transaction_id: id }) => (id === null || id === undefined ? '–' : <a href={`#/transactions/${id}`}>{`${id}`}</a>),
  },
  { name: 'Digest', cell: ({ tx_digest: digest }) => <Digest value={digest} /> },
  { name: 'Why', cell: why },
];

export function Results({ results, dry }: { results: StackResult[]; dry?: boolean }) {
  return (
    <Table
      caption={dry ? 'What the dry run expects' : 'Results'}
      columns={dry ? expected : final}
      rows={results}
      id={({ stack_small_id: id, node_small_id: of }) => `${id} of node ${of ?? '–'}`}
      empty="No results."
    />
  );
}
