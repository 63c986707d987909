// What is to be done, by whom and until when, and what the autopilot makes of it.
import { useMemo, useState } from 'preact/hooks';
import type { Duty } from '../api/types';
import { now } from '../live/connection';
import { mayAct } from '../session/session';
import { link, replaceQuery, route, smallId } from '../shell/route';
import { Usdc } from '../ui/amount';
import { Choice } from '../ui/form';
import { Loaded } from '../ui/loaded';
import { idsOf, taskName, useNodes, useTasks } from '../ui/names';
import { PageButtons, usePage } from '../ui/pages';
import { Mark } from '../ui/status';
import { byNumber, type Column, Table } from '../ui/table';
import { Countdown } from '../ui/time';
import { AutopilotPanel } from './autopilot';

function DutyTime({ duty: { deadline, waits_until: until, standing } }: { duty: Duty }) {
  if (deadline) {
    return (
      <span class="nowrap">
        {Date.parse(deadline) > now.value ? 'due in ' : ''}
        <Countdown to={deadline} after="overdue" />
      </span>
    );
  }
  if (!until || standing !== 'waiting') return null;
  return (
    <span class="nowrap">
      {Date.parse(until) > now.value ? 'waits ' : ''}
      <Countdown to={until} after="looks again" />
    </span>
  );
}

export function dutyColumns(tasks: Parameters<typeof taskName>[0]): Column<Duty>[] {
  return [
    { name: 'Duty', cell: ({ duty }) => <Mark of={duty} /> },
    {
      name: 'Stack',
      cell: ({ stack_small_id: id }) => (id === null || id === undefined ? '–' : <a href={`#/stacks/${id}`}>{`${id}`}</a>),
      order: byNumber((row) => row.stack_small_id),
    },
    { name: 'Node', numeric: true, from: 'medium', cell: ({ node_small_id: id }) => `${id}`, order: byNumber((row) => row.node_small_id) },
    { name: 'Task', from: 'wide', cell: ({ task_small_id: id }) => <span class="clip">{taskName(tasks, id)}</span> },
    { name: 'Standing', cell: ({ standing }) => <Mark of={standing} /> },
    { name: 'Why', cell: ({ explanation, reason }) => <span title={reason}>{explanation}</span> },
    { name: 'Time', cell: (duty) => <DutyTime duty={duty} /> },
    {
      name: 'Brings, USDC',
      numeric: true,
      cell: ({ proceeds_micro_usdc: amount }) => <Usdc value={amount} bare />,
      order: byNumber((row) => row.proceeds_micro_usdc),
    },
  ];
}

export function Duties() {
  const { query } = route.value;
  const filter = { duty: query.get('duty') ?? '', standing: query.get('standing') ?? '', node: query.get('node') ?? '' };
  const nodes = useNodes().data ?? [];
  const tasks = useTasks().data;
  const columns = useMemo(() => dutyColumns(tasks), [tasks]);
  const [sort, setSort] = useState({ by: '', descending: false });
  const page = usePage('/duties', {}, { duty: filter.duty, standing: filter.standing, node_small_id: smallId(filter.node) }, [
    'autopilot',
    'applied',
  ]);
  const set = (changes: Record<string, string>) =>
    replaceQuery({
      cursor: undefined,
      before: undefined,
      ...Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, value || undefined])),
    });
  return (
    <>
      <h1 tabIndex={-1}>Duties and autopilot</h1>
      <AutopilotPanel />
      <h2>Duties</h2>
      <div class="filters">
        <Choice
          label="Duty"
          value={filter.duty}
          options={[
            ['', 'all'],
            ['attest', 'attest'],
            ['settle', 'settle'],
            ['claim', 'claim'],
            ['withdraw', 'withdraw'],
          ]}
          set={(duty) => set({ duty })}
        />
        <Choice
          label="Standing"
          value={filter.standing}
          options={[
            ['', 'all'],
            ['due', 'due'],
            ['waiting', 'waiting'],
            ['blocked', 'blocked'],
          ]}
          set={(standing) => set({ standing })}
        />
        <Choice
          label="Node"
          value={filter.node}
          options={[['', 'all'], ...nodes.map(({ node_small_id: id }) => [`${id}`, `node ${id}`] as const)]}
          set={(node) => set({ node })}
        />
      </div>
      <Loaded of={page} what="the duties" lines={8}>
        {({ body, next }) => {
          const due = body.filter(({ standing }) => standing === 'due');
          return (
            <>
              {mayAct.value && filter.duty && idsOf(due).length > 0 ? (
                <p>
                  <a class="button" href={link(`/act/${filter.duty}`, { stacks: idsOf(due).join(',') })}>
                    {filter.duty === 'attest' ? 'Attest' : filter.duty === 'settle' ? 'Settle' : 'Claim'} the {due.length} due of this page…
                  </a>
                </p>
              ) : null}
              <Table
                caption="Duties"
                columns={columns}
                rows={body}
                id={(row) => `${row.duty} ${row.stack_small_id} ${row.node_small_id}`}
                empty={filter.duty || filter.standing || filter.node ? 'None of these.' : 'Nothing to do.'}
                sort={{ ...sort, set: (by) => setSort({ by, descending: sort.by === by && !sort.descending }) }}
              />
              <PageButtons next={next} count={body.length} what="duties" />
            </>
          );
        }}
      </Loaded>
    </>
  );
}
