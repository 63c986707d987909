// Whether the books agree with the chain.
import { useState } from 'preact/hooks';
import { read } from '../api/client';
import { useResource } from '../live/resource';
import { Digest } from '../ui/id';
import { Loaded } from '../ui/loaded';
import { Mark, words } from '../ui/status';
import { Table } from '../ui/table';

function Differences() {
  const checked = useResource('differences', async () => (await read('/earnings/differences')).body, [], 5000);
  return (
    <Loaded of={checked} what="the comparison" lines={2}>
      {({ difference_count: count, differences, unchecked_transactions: unchecked }) => (
        <>
          <p>
            {count === 0n ? <Mark of="good">The books agree with the chain.</Mark> : <Mark of="bad">{`${count} amounts differ.`}</Mark>}{' '}
            {unchecked > 0n ? <span class="quiet">{`${unchecked}`} transactions can't be compared.</span> : null}
          </p>
          {count === 0n ? null : (
            <Table
              caption="Differences"
              columns={[
                { name: 'What', cell: (row) => words(row.kind) },
                {
                  name: 'Stack',
                  cell: (row) =>
                    row.stack_small_id === null || row.stack_small_id === undefined ? (
                      '–'
                    ) : (
                      <a href={`#/stacks/${row.stack_small_id}`}>{`${row.stack_small_id}`}</a>
                    ),
                },
                { name: 'By the rules', numeric: true, cell: (row) => row.computed_amount ?? '–' },
                { name: 'On the chain', numeric: true, cell: (row) => row.recorded_amount },
                { name: 'Transaction', cell: (row) => <Digest value={row.tx_digest} /> },
              ]}
              rows={differences}
              id={(row) => `${row.tx_digest} ${row.kind} ${row.stack_small_id}`}
              empty=""
            />
          )}
        </>
      )}
    </Loaded>
  );
}

export function Checked() {
  const [open, setOpen] = useState(false);
  return (
    <section aria-labelledby="checked">
      <h2 id="checked">Compared with the chain</h2>
      {open ? (
        <Differences />
      ) : (
        <button type="button" onClick={() => setOpen(true)}>
          Compare now
        </button>
      )}
    </section>
  );
}
