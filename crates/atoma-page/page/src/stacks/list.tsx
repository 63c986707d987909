import { useState } from 'preact/hooks';
import type { Stack } from '../api/types';
import { mayAct } from '../session/session';
import { link, replaceQuery, route, smallId } from '../shell/route';
import { Count, Usdc, grouped, permille } from '../ui/amount';
import { Choice, Field } from '../ui/form';
import { Loaded } from '../ui/loaded';
import { taskName, useNodes, useTasks } from '../ui/names';
import { PageButtons } from '../ui/pages';
import { Fill, Mark } from '../ui/status';
import { byNumber, type Column, Table } from '../ui/table';
import { useStacks, type StackFilter } from './filter';
import { stageOf, value } from './stage';

const stageOptions = [
  ['', 'all'],
  ['bought', 'bought, not served'],
  ['served', 'served'],
  ['settled', 'settled'],
  ['attested', 'attested'],
  ['claimable', 'claimable'],
  ['claimed', 'claimed'],
  ['paid', 'paid'],
  ['disputed', 'disputed'],
] as const;

export function StackFill({ stack }: { stack: Stack }) {
  const used = permille(stack.already_computed_units, stack.num_compute_units);
  const reserved = permille(stack.reserved_units, stack.num_compute_units);
  const label = `${grouped(stack.already_computed_units)} of ${grouped(stack.num_compute_units)} units computed, ${grouped(stack.reserved_units)} reserved`;
  return (
    <span class="fill-cell" title={label}>
      <Fill used={used} reserved={reserved} label={label} />
      <span class="amount">
        {Math.floor(used / 10)}.{used % 10} %
      </span>
    </span>
  );
}

function Filters({ filter }: { filter: StackFilter }) {
  const nodes = useNodes().data ?? [];
  const tasks = useTasks().data ?? [];
  const [goto, setGoto] = useState('');
  const set = (query: Record<string, string | undefined>) => replaceQuery({ cursor: undefined, before: undefined, ...query });
  const go = (event: Event) => {
    event.preventDefault();
    if (smallId(goto) !== undefined) location.hash = `#/stacks/${goto}`;
  };
  return (
    <div class="filters">
      <Choice label="Stage" value={filter.stage} options={stageOptions.map(([id, name]) => [id as string, name])} set={(stage) => set({ stage: stage || undefined })} />
      <Choice
        label="Node"
        value={filter.node}
        options={[['', 'all'], ...nodes.map(({ node_small_id: id }) => [`${id}`, `node ${id}`] as const)]}
        set={(node) => set({ node: node || undefined })}
      />
      <Choice
        label="Task"
        value={filter.task}
        options={[['', 'all'], ...tasks.map(({ task_small_id: id }) => [`${id}`, `${id}: ${taskName(tasks, id)}`] as const)]}
        set={(task) => set({ task: task || undefined })}
      />
      <Choice
        label="Filled"
        value={filter.fill}
        options={[['', 'any'], ['0.5', 'over 50 %'], ['0.8', 'over 80 %'], ['0.95', 'over 95 %'], ['0.99', 'over 99 %']]}
        set={(fill) => set({ fill: fill || undefined })}
      />
      <form class="goto" onSubmit={go}>
        <Field label="Go to stack" value={goto} set={setGoto} numeric placeholder="id" wrong={goto !== '' && smallId(goto) === undefined ? 'An id is a number.' : undefined} />
        <button type="submit">Go</button>
      </form>
    </div>
  );
}

function ActOnSelection({ selected, clear }: { selected: ReadonlySet<string>; clear: () => void }) {
  const stacks = [...selected].join(',');
  return (
    <div class="selection" role="status">
      <span>{selected.size === 1 ? '1 stack selected' : `${selected.size} stacks selected`}</span>
      <a class="button" href={link('/act/settle', { stacks })}>
        Settle…
      </a>
      <a class="button" href={link('/act/attest', { stacks })}>
        Attest…
      </a>
      <a class="button" href={link('/act/claim', { stacks })}>
        Claim…
      </a>
      <button type="button" class="plain" onClick={clear}>
        Clear
      </button>
    </div>
  );
}

export function Stacks() {
  const { query } = route.value;
  const filter: StackFilter = { stage: query.get('stage') ?? '', node: query.get('node') ?? '', task: query.get('task') ?? '', fill: query.get('fill') ?? '' };
  const page = useStacks(filter);
  const tasks = useTasks().data;
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [sort, setSort] = useState({ by: '', descending: false });
  const toggle = (ids: string[], on: boolean) => {
    const next = new Set(selected);
    for (const id of ids) on ? next.add(id) : next.delete(id);
    setSelected(next);
  };
  const columns: Column<Stack>[] = [
    { name: 'Stack', cell: ({ stack_small_id: id }) => <a href={`#/stacks/${id}`}>{`${id}`}</a>, order: byNumber((row) => row.stack_small_id) },
    { name: 'Stage', cell: (row) => <Mark of={filter.stage || stageOf(row)} /> },
    { name: 'Task', from: 'medium', cell: (row) => <span class="clip" title={taskName(tasks, row.task_small_id)}>{taskName(tasks, row.task_small_id)}</span>, order: byNumber((row) => row.task_small_id) },
    { name: 'Node', from: 'medium', numeric: true, cell: (row) => `${row.selected_node_id}`, order: byNumber((row) => row.selected_node_id) },
    {
      name: 'Computed',
      cell: (row) => <StackFill stack={row} />,
      order: (a, b) => permille(a.already_computed_units, a.num_compute_units) - permille(b.already_computed_units, b.num_compute_units),
    },
    { name: 'Units', from: 'wide', numeric: true, cell: (row) => <Count value={row.num_compute_units} />, order: byNumber((row) => row.num_compute_units) },
    { name: 'Free', from: 'wide', numeric: true, cell: (row) => <Count value={row.free_units} />, order: byNumber((row) => row.free_units) },
    { name: 'Messages', from: 'wide', numeric: true, cell: (row) => <Count value={row.num_total_messages} />, order: byNumber((row) => row.num_total_messages) },
    { name: 'Served for, USDC', numeric: true, cell: (row) => <Usdc value={value(row)} bare />, order: byNumber(value) },
  ];
  return (
    <>
      <h1 tabIndex={-1}>Stacks</h1>
      <Filters filter={filter} />
      <Loaded of={page} what="the stacks" lines={10}>
        {({ rows, next, note, unfiltered }) => (
          <>
            {note ? <p class="quiet">{note}</p> : null}
            {selected.size > 0 ? <ActOnSelection selected={selected} clear={() => setSelected(new Set())} /> : null}
            <Table
              caption="Stacks"
              columns={columns}
              rows={rows}
              id={(row) => `${row.stack_small_id}`}
              empty={unfiltered === 0 ? 'No stacks yet. They appear as soon as somebody buys one from your nodes.' : 'No stack of this page matches.'}
              selection={mayAct.value ? { selected, toggle, may: (row) => !row.is_claimed } : undefined}
              sort={{ ...sort, set: (by) => setSort({ by, descending: sort.by === by && !sort.descending }) }}
            />
            {sort.by && next ? <p class="quiet">The order holds within this page.</p> : null}
            <PageButtons next={next} count={rows.length} what="stacks" />
          </>
        )}
      </Loaded>
    </>
  );
}
