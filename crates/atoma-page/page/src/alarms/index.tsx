import { useState } from 'preact/hooks';
import { address, send } from '../api/client';
import type { Alarm } from '../api/types';
import { changed } from '../live/resource';
import { mayAct } from '../session/session';
import { replaceQuery, route } from '../shell/route';
import { Switch } from '../ui/form';
import { Loaded, Problem } from '../ui/loaded';
import { PageButtons, usePage } from '../ui/pages';
import { Mark, words } from '../ui/status';
import { type Column, Table } from '../ui/table';
import { Countdown, When } from '../ui/time';
import { TestMessage } from './test';

export function Acknowledge({ alarm }: { alarm: Alarm }) {
  const [error, setError] = useState<Error>();
  if (alarm.state !== 'firing' || !mayAct.value) return null;
  const acknowledge = async () => {
    try {
      await send('POST', address('/alarms/{alarm_id}/acknowledge', { alarm_id: alarm.alarm_id }));
    } catch (problem) {
      setError(problem as Error);
    }
    changed(['alarms']);
  };
  return (
    <>
      <button
        type="button"
        class="small"
        aria-label={`Acknowledge alarm ${alarm.alarm_id}: ${alarm.summary}`}
        onClick={() => void acknowledge()}
      >
        Acknowledge
      </button>
      {error ? <Problem error={error} /> : null}
    </>
  );
}

const columns: Column<Alarm>[] = [
  { name: 'Severity', cell: ({ severity }) => <Mark of={severity} /> },
  {
    name: 'What',
    cell: ({ summary, stack_small_id: stack, kind }) => (
      <span title={words(kind)}>
        {summary} {stack === null || stack === undefined ? null : <a href={`#/stacks/${stack}`}>stack {`${stack}`}</a>}
      </span>
    ),
  },
  { name: 'State', cell: ({ state }) => <Mark of={state} /> },
  { name: 'Since', from: 'medium', cell: ({ since }) => <When at={since} /> },
  {
    name: 'Time left',
    cell: ({ deadline, state }) => (state === 'resolved' || !deadline ? '–' : <Countdown to={deadline} after="overdue" />),
  },
  { name: 'Resolved', from: 'wide', cell: ({ resolved_at: at }) => <When at={at} /> },
  { name: 'Act', cell: (alarm) => <Acknowledge alarm={alarm} /> },
];

const states = [
  ['', 'All'],
  ['firing', 'Firing'],
  ['acknowledged', 'Acknowledged'],
  ['resolved', 'Resolved'],
] as const;

export function Alarms() {
  const state = route.value.query.get('state') ?? '';
  const page = usePage('/alarms', {}, { state }, ['alarms']);
  return (
    <>
      <h1 tabIndex={-1}>Alarms</h1>
      <div class="filters">
        <Switch
          label="State"
          value={state as (typeof states)[number][0]}
          options={states}
          set={(value) => replaceQuery({ state: value || undefined, cursor: undefined, before: undefined })}
        />
      </div>
      <Loaded of={page} what="the alarms">
        {({ body, next }) => (
          <>
            <Table
              caption="Alarms"
              columns={columns}
              rows={body}
              id={(row) => `${row.alarm_id}`}
              empty={state ? 'None of these.' : 'No alarm so far.'}
            />
            <PageButtons next={next} count={body.length} what="alarms" />
          </>
        )}
      </Loaded>
      <TestMessage />
    </>
  );
}
