// Stacks in settlement and after it: their tickets.
import { read } from '../api/client';
import type { ClaimedStack } from '../api/types';
import { useAutopilot } from '../duties/autopilot';
import { useResource } from '../live/resource';
import { mayAct } from '../session/session';
import { route, smallId } from '../shell/route';
import { Count, Usdc } from '../ui/amount';
import { Loaded } from '../ui/loaded';
import { PageButtons } from '../ui/pages';
import { Mark } from '../ui/status';
import { byNumber, type Column, Table } from '../ui/table';
import { When } from '../ui/time';
import { useMemo, useState } from 'preact/hooks';
import { ActOnSelection, useSelection } from './selection';
import { settledStage } from './stage';

const limit = 200n;

export function SettledStacks({ stage, node }: { stage: string; node: string }) {
  const cursor = route.value.query.get('cursor') ?? undefined;
  const of = smallId(node);
  const epoch = useAutopilot().data?.epoch ?? undefined;
  const page = useResource(
    `settled ${node} ${cursor}`,
    () =>
      of === undefined
        ? read('/claimed_stacks', {}, { limit, cursor })
        : read('/claimed_stacks/{node_small_id}', { node_small_id: of }, { limit, cursor }),
    ['applied'],
    2000,
  );
  const { selected, toggle, clear } = useSelection();
  const [sort, setSort] = useState({ by: '', descending: false });
  const wanted = stage === 'paid' ? 'claimed' : stage;
  const columns = useMemo(
    (): Column<ClaimedStack>[] => [
      {
        name: 'Stack',
        cell: ({ stack_small_id: id }) => <a href={`#/stacks/${id}`}>{`${id}`}</a>,
        order: byNumber((row) => row.stack_small_id),
      },
      { name: 'Stage', cell: (row) => <Mark of={settledStage(row, epoch)} /> },
      {
        name: 'Node',
        numeric: true,
        from: 'medium',
        cell: (row) => `${row.selected_node_id}`,
        order: byNumber((row) => row.selected_node_id),
      },
      {
        name: 'Claimed units',
        numeric: true,
        cell: (row) => <Count value={row.num_claimed_compute_units} />,
        order: byNumber((row) => row.num_claimed_compute_units),
      },
      { name: 'Attestations', numeric: true, cell: (row) => `${row.received_attestations} of ${row.required_attestations}` },
      {
        name: 'Drawn nodes',
        from: 'medium',
        cell: (row) => row.requested_attestation_nodes.replace(/[[\]]/g, '') || <span class="quiet">none</span>,
      },
      {
        name: 'Claimable from epoch',
        numeric: true,
        cell: (row) => `${row.dispute_settled_at_epoch}`,
        order: byNumber((row) => row.dispute_settled_at_epoch),
      },
      {
        name: 'Refund, USDC',
        numeric: true,
        from: 'wide',
        cell: (row) => <Usdc value={row.user_refund_amount} bare />,
        order: byNumber((row) => row.user_refund_amount),
      },
      { name: 'Settled', from: 'wide', cell: (row) => <When at={row.settlement_time} /> },
    ],
    [epoch],
  );
  return (
    <Loaded of={page} what="the stacks" lines={10}>
      {({ body, next }) => {
        const rows = body.filter((ticket) => settledStage(ticket, epoch) === wanted);
        return (
          <>
            {rows.length < body.length && next ? (
              <p class="quiet">
                {rows.length} of the {body.length} settled stacks of this page match. Further pages may have more.
              </p>
            ) : null}
            {selected.size > 0 ? <ActOnSelection selected={selected} clear={clear} /> : null}
            <Table
              caption="Stacks in settlement"
              columns={columns}
              rows={rows}
              id={(row) => `${row.stack_small_id}`}
              empty={body.length === 0 ? 'No stack was settled yet.' : 'No stack of this page matches.'}
              selection={mayAct.value ? { selected, toggle, may: (row) => !row.is_claimed } : undefined}
              sort={{ ...sort, set: (by) => setSort({ by, descending: sort.by === by && !sort.descending }) }}
            />
            <PageButtons next={next} count={rows.length} what="stacks" />
          </>
        );
      }}
    </Loaded>
  );
}
