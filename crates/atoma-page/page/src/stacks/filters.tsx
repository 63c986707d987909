// The filters above the list of stacks.
import { useState } from 'preact/hooks';
import { replaceQuery, smallId } from '../shell/route';
import { Choice, Field } from '../ui/form';
import { taskName, useNodes, useTasks } from '../ui/names';
import { isSettledStage, type StackFilter } from './filter';

const stageOptions = [
  ['', 'all'],
  ['bought', 'bought, not served'],
  ['served', 'served'],
  ['settled', 'settled'],
  ['attested', 'attested'],
  ['claimable', 'claimable'],
  ['claimed', 'claimed'],
  ['disputed', 'disputed'],
] as const;

export function Filters({ filter }: { filter: StackFilter }) {
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
      <Choice
        label="Stage"
        value={filter.stage}
        options={stageOptions.map(([id, name]) => [id as string, name])}
        set={(stage) => set({ stage: stage || undefined })}
      />
      <Choice
        label="Node"
        value={filter.node}
        options={[['', 'all'], ...nodes.map(({ node_small_id: id }) => [`${id}`, `node ${id}`] as const)]}
        set={(node) => set({ node: node || undefined })}
      />
      {isSettledStage(filter.stage) ? null : (
        <>
          <Choice
            label="Task"
            value={filter.task}
            options={[['', 'all'], ...tasks.map(({ task_small_id: id }) => [`${id}`, `${id}: ${taskName(tasks, id)}`] as const)]}
            set={(task) => set({ task: task || undefined })}
          />
          <Choice
            label="Filled"
            value={filter.fill}
            options={[
              ['', 'any'],
              ['0.5', 'over 50 %'],
              ['0.8', 'over 80 %'],
              ['0.95', 'over 95 %'],
              ['0.99', 'over 99 %'],
            ]}
            set={(fill) => set({ fill: fill || undefined })}
          />
        </>
      )}
      <form class="goto" onSubmit={go}>
        <Field
          label="Go to stack"
          value={goto}
          set={setGoto}
          numeric
          placeholder="id"
          wrong={goto !== '' && smallId(goto) === undefined ? 'An id is a number.' : undefined}
        />
        <button type="submit">Go</button>
      </form>
    </div>
  );
}
