// Settling, attesting and claiming stacks.
import { useState } from 'preact/hooks';
import { read } from '../api/client';
import type { Duty } from '../api/types';
import { useResource } from '../live/resource';
import { mayAct } from '../session/session';
import { route } from '../shell/route';
import { Choice, Field } from '../ui/form';
import { idsOf, useNodes } from '../ui/names';
import { ReadOnly } from './read_only';
import { Running } from './runner';
import { parseIds, stackActs, stackCount, type Write } from './writes';

/** The stacks of the duties, in ranges where they follow one another. */
function idText(duties: Duty[]): string {
  const ids = idsOf(duties)
    .sort((a, b) => (a < b ? -1 : 1))
    .slice(0, 1000);
  const ranges: [bigint, bigint][] = [];
  for (const id of ids) {
    const last = ranges.at(-1);
    if (last && last[1] + 1n === id) last[1] = id;
    else ranges.push([id, id]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

function Suggestions({ duty, set }: { duty: 'settle' | 'attest' | 'claim'; set: (text: string) => void }) {
  const duties = useResource(
    `act ${duty}`,
    async () => (await read('/duties', {}, { duty, limit: 1000n })).body,
    ['autopilot', 'applied'],
    2000,
  );
  if (!duties.data) return null;
  const due = duties.data.filter(({ standing }) => standing === 'due');
  const waiting = duties.data.filter(({ standing }) => standing === 'waiting');
  return (
    <p class="suggestions">
      <button type="button" disabled={due.length === 0} onClick={() => set(idText(due))}>
        All that are due ({due.length})
      </button>
      <button type="button" disabled={waiting.length === 0} onClick={() => set(idText(waiting))}>
        All that wait ({waiting.length})
      </button>
    </p>
  );
}

export function StackActPage({ act }: { act: 'settle' | 'attest' | 'claim' }) {
  const { name, path, duty, kinds, about } = stackActs[act];
  const [text, setText] = useState(route.value.query.get('stacks')?.replaceAll(',', ', ') ?? '');
  const [node, setNode] = useState('');
  const [units, setUnits] = useState('');
  const [allowDispute, setAllowDispute] = useState(false);
  const [write, setWrite] = useState<Write>();
  const nodes = useNodes().data ?? [];
  const { ids, wrong } = parseIds(text);
  const wrongUnits = units !== '' && !/^\d{1,20}$/.test(units) ? 'Units are a number.' : undefined;
  const ready = ids.length > 0 && !wrong && !wrongUnits;
  const submit = (event: Event) => {
    event.preventDefault();
    if (!ready) return;
    const body: Record<string, unknown> = { stack_small_ids: ids };
    if (node) body['node_small_id'] = BigInt(node);
    if (act === 'settle' && units) body['num_claimed_compute_units'] = BigInt(units);
    if (act === 'attest' && allowDispute) body['allow_dispute'] = true;
    setWrite({ path, body, verb: `${name} ${stackCount(ids.length)}`, kinds });
  };
  return (
    <>
      <p class="up">
        <a href="#/act">Act</a>
      </p>
      <h1 tabIndex={-1}>{name} stacks</h1>
      <p class="lead">{about}</p>
      <ReadOnly />
      {write ? (
        <Running write={write} back={() => setWrite(undefined)} />
      ) : (
        <form class="act" onSubmit={submit}>
          <Field
            label="Stacks"
            value={text}
            set={setText}
            hint={ids.length > 0 ? stackCount(ids.length) : 'Ids and ranges, such as 13, 14, 20-25.'}
            wrong={wrong}
          />
          <Suggestions duty={duty} set={setText} />
          <details>
            <summary>More</summary>
            <Choice
              label="Node that acts"
              value={node}
              options={[['', 'the one of the stack'], ...nodes.map(({ node_small_id: id }) => [`${id}`, `node ${id}`] as const)]}
              set={setNode}
            />
            {act === 'settle' ? (
              <Field label="Units to claim" value={units} set={setUnits} numeric hint="Without it, what was recorded." wrong={wrongUnits} />
            ) : null}
            {act === 'attest' ? (
              <label class="check">
                <input type="checkbox" checked={allowDispute} onChange={({ currentTarget }) => setAllowDispute(currentTarget.checked)} />
                Attest even if it opens a dispute, which freezes the stack's funds for good
              </label>
            ) : null}
          </details>
          <button type="submit" class="primary" disabled={!ready || !mayAct.value}>
            Dry run
          </button>
        </form>
      )}
    </>
  );
}
