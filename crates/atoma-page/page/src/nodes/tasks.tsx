// All tasks of the network.
import type { Task } from '../api/types';
import { mayAct } from '../session/session';
import { link } from '../shell/route';
import { Loaded } from '../ui/loaded';
import { PageButtons, usePage } from '../ui/pages';
import { Mark } from '../ui/status';
import { type Column, Table } from '../ui/table';

const levels = ['none', 'confidential compute', 'sampling consensus'];

const columns: Column<Task>[] = [
  { name: 'Task', cell: ({ task_small_id: id }) => `${id}` },
  // Whatever the name contains, it is text.
  { name: 'Model', cell: ({ model_name: name }) => (name ? <span class="model">{name}</span> : <span class="quiet">none</span>) },
  { name: 'Verification', cell: ({ security_level: level }) => levels[Number(level)] ?? `level ${level}` },
  { name: 'Role', numeric: true, from: 'medium', cell: ({ role }) => `${role}` },
  { name: 'Least reputation', numeric: true, from: 'wide', cell: ({ minimum_reputation_score: score }) => `${score ?? '–'}` },
  {
    name: 'State',
    cell: ({ removed_at_epoch: removed, is_deprecated: deprecated, deprecated_at_epoch: at }) =>
      removed !== null && removed !== undefined ? (
        <Mark of="bad">{`removed in epoch ${removed}`}</Mark>
      ) : deprecated ? (
        <Mark of="waiting">{`deprecated in epoch ${at ?? '–'}`}</Mark>
      ) : (
        <Mark of="good">open</Mark>
      ),
  },
  {
    name: 'Act',
    cell: ({ task_small_id: task }) =>
      mayAct.value ? (
        <a href={link('/act/subscribe', { task })} aria-label={`Subscribe to task ${task}`}>
          Subscribe…
        </a>
      ) : null,
  },
];

export function Tasks() {
  const page = usePage('/tasks', {}, {}, ['applied']);
  return (
    <>
      <h1 tabIndex={-1}>Tasks</h1>
      <Loaded of={page} what="the tasks">
        {({ body, next }) => (
          <>
            <Table
              caption="Tasks"
              columns={columns}
              rows={body}
              id={(row) => `${row.task_small_id}`}
              empty="The network has no task yet."
            />
            <PageButtons next={next} count={body.length} what="tasks" />
          </>
        )}
      </Loaded>
    </>
  );
}
