// The list of stacks.
import { useMemo, useState } from 'preact/hooks';
import type { Stack } from '../api/types';
import { mayAct } from '../session/session';
import { route } from '../shell/route';
import { Count, permille, Usdc } from '../ui/amount';
import { Loaded } from '../ui/loaded';
import { taskName, useTasks } from '../ui/names';
import { PageButtons } from '../ui/pages';
import { Mark } from '../ui/status';
import { byNumber, type Column, Table } from '../ui/table';
import { StackFill } from './fill';
import { isSettledStage, type StackFilter, useStacks } from './filter';
import { Filters } from './filters';
import { ActOnSelection, useSelection } from './selection';
import { SettledStacks } from './settled';
import { stageOf, value } from './stage';

function AllStacks({ filter }: { filter: StackFilter }) {
  const page = useStacks(filter);
  const tasks = useTasks().data;
  const { selected, toggle, clear } = useSelection();
  const [sort, setSort] = useState({ by: '', descending: false });
  const columns = useMemo(
    (): Column<Stack>[] => [
      {
        name: 'Stack',
        cell: ({ stack_small_id: id }) => <a href={`#/stacks/${id}`}>{`${id}`}</a>,
        order: byNumber((row) => row.stack_small_id),
      },
      { name: 'Stage', cell: (row) => <Mark of={stageOf(row)} /> },
      {
        name: 'Task',
        from: 'medium',
        cell: (row) => (
          <span class="clip" title={taskName(tasks, row.task_small_id)}>
            {taskName(tasks, row.task_small_id)}
          </span>
        ),
        order: byNumber((row) => row.task_small_id),
      },
      {
        name: 'Node',
        from: 'medium',
        numeric: true,
        cell: (row) => `${row.selected_node_id}`,
        order: byNumber((row) => row.selected_node_id),
      },
      {
        name: 'Computed',
        cell: (row) => <StackFill stack={row} />,
        order: (a, b) => permille(a.already_computed_units, a.num_compute_units) - permille(b.already_computed_units, b.num_compute_units),
      },
      {
        name: 'Units',
        from: 'wide',
        numeric: true,
        cell: (row) => <Count value={row.num_compute_units} />,
        order: byNumber((row) => row.num_compute_units),
      },
      {
        name: 'Free',
        from: 'wide',
        numeric: true,
        cell: (row) => <Count value={row.free_units} />,
        order: byNumber((row) => row.free_units),
      },
      {
        name: 'Messages',
        from: 'wide',
        numeric: true,
        cell: (row) => <Count value={row.num_total_messages} />,
        order: byNumber((row) => row.num_total_messages),
      },
      { name: 'Served for, USDC', numeric: true, cell: (row) => <Usdc value={value(row)} bare />, order: byNumber(value) },
    ],
    [tasks],
  );
  return (
    <Loaded of={page} what="the stacks" lines={10}>
      {({ rows, next, note, unfiltered }) => (
        <>
          {note ? <p class="quiet">{note}</p> : null}
          {selected.size > 0 ? <ActOnSelection selected={selected} clear={clear} /> : null}
          <Table
            caption="Stacks"
            columns={columns}
            rows={rows}
            id={(row) => `${row.stack_small_id}`}
            empty={
              unfiltered === 0
                ? 'No stacks yet. They appear as soon as somebody buys one from your nodes.'
                : 'No stack of this page matches.'
            }
            selection={mayAct.value ? { selected, toggle, may: (row) => !row.is_claimed } : undefined}
            sort={{ ...sort, set: (by) => setSort({ by, descending: sort.by === by && !sort.descending }) }}
          />
          {sort.by && next ? <p class="quiet">The order holds within this page.</p> : null}
          <PageButtons next={next} count={rows.length} what="stacks" />
        </>
      )}
    </Loaded>
  );
}

export function Stacks() {
  const { query } = route.value;
  const filter: StackFilter = {
    stage: query.get('stage') ?? '',
    node: query.get('node') ?? '',
    task: query.get('task') ?? '',
    fill: query.get('fill') ?? '',
  };
  return (
    <>
      <h1 tabIndex={-1}>Stacks</h1>
      <Filters filter={filter} />
      {isSettledStage(filter.stage) ? <SettledStacks stage={filter.stage} node={filter.node} /> : <AllStacks filter={filter} />}
    </>
  );
}
