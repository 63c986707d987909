// Requests about a node or a task: register, subscribe, change a price, unsubscribe.
import { useState } from 'preact/hooks';
import { mayAct } from '../session/session';
import { route } from '../shell/route';
import { Choice, Field } from '../ui/form';
import { taskName, useNodes, useTasks } from '../ui/names';
import { parseUsdc } from './price';
import { ReadOnly } from './read_only';
import { Running } from './runner';
import type { Write, WritePath } from './writes';

interface Single {
  name: string;
  path: WritePath;
  kind: string;
  about: string;
  fields: readonly ('task' | 'price' | 'units' | 'model' | 'additional')[];
}

export const singles: Record<string, Single> = {
  withdraw: {
    name: 'Withdraw shares',
    path: '/withdraw_fees',
    kind: 'withdraw_fees',
    about: 'Collects what the contract owes a node for its attestations. Each claim of the node does so too.',
    fields: [],
  },
  register: {
    name: 'Register a node',
    path: '/register',
    kind: 'register_node',
    about: 'Gets a node badge for your address. Nodes can be disabled again, but their badges stay.',
    fields: ['additional'],
  },
  subscribe: {
    name: 'Subscribe to a task',
    path: '/task_subscribe',
    kind: 'subscribe_to_task',
    about: 'Offers a task at a price. From then on buyers can get stacks of this node.',
    fields: ['task', 'price', 'units'],
  },
  price: {
    name: 'Change a price',
    path: '/task_update_subscription',
    kind: 'update_subscription',
    about: 'Changes what a node asks for a task. Stacks that were bought keep their price.',
    fields: ['task', 'price', 'units'],
  },
  unsubscribe: {
    name: 'Unsubscribe from a task',
    path: '/task_unsubscribe',
    kind: 'unsubscribe_from_task',
    about: 'Ends the offer of a task. Stacks that were bought stay.',
    fields: ['task'],
  },
  model: {
    name: 'Add a node to a model',
    path: '/model_subscribe',
    kind: 'subscribe_to_model',
    about: 'Adds a node to an echelon of a model.',
    fields: ['model'],
  },
};

export function SinglePage({ act }: { act: Single }) {
  const { query } = route.value;
  const [node, setNode] = useState(query.get('node') ?? '');
  const [task, setTask] = useState(query.get('task') ?? '');
  const [price, setPrice] = useState('');
  const [units, setUnits] = useState('');
  const [model, setModel] = useState('');
  const [echelon, setEchelon] = useState('');
  const [write, setWrite] = useState<Write>();
  const nodes = useNodes().data ?? [];
  const tasks = useTasks().data ?? [];
  const has = (field: Single['fields'][number]) => act.fields.includes(field);
  const micro = parseUsdc(price);
  const whole = (text: string) => /^\d{1,20}$/.test(text) && BigInt(text) < 2n ** 64n;
  const ready =
    (!has('task') || task !== '') &&
    (!has('price') || micro !== undefined) &&
    (units === '' || whole(units)) &&
    (!has('model') || (model !== '' && whole(echelon)));
  const submit = (event: Event) => {
    event.preventDefault();
    if (!ready) return;
    const body: Record<string, unknown> = {};
    if (node && !has('additional')) body['node_small_id'] = BigInt(node);
    if (has('additional')) body['additional'] = nodes.length > 0;
    if (has('task')) body['task_small_id'] = BigInt(task);
    if (has('price')) body['price_per_one_million_compute_units'] = micro;
    if (has('units') && units) body['max_num_compute_units'] = BigInt(units);
    if (has('model')) Object.assign(body, { model_name: model, echelon_id: BigInt(echelon) });
    setWrite({ path: act.path, body, verb: act.name, kinds: [act.kind] });
  };
  return (
    <>
      <p class="up">
        <a href="#/act">Act</a>
      </p>
      <h1 tabIndex={-1}>{act.name}</h1>
      <p class="lead">{act.about}</p>
      <ReadOnly />
      {write ? (
        <Running write={write} back={() => setWrite(undefined)} />
      ) : (
        <form class="act" onSubmit={submit}>
          {has('additional') ? (
            nodes.length > 0 ? (
              <p class="notice stale">
                You have {nodes.map(({ node_small_id: id }) => `node ${id}`).join(', ')}. This registers another one.
              </p>
            ) : null
          ) : (
            <Choice
              label="Node"
              value={node}
              options={[
                ['', nodes.length > 1 ? 'choose' : 'the only one'],
                ...nodes.map(({ node_small_id: id }) => [`${id}`, `node ${id}`] as const),
              ]}
              set={setNode}
            />
          )}
          {has('task') ? (
            <Choice
              label="Task"
              value={task}
              options={[
                ['', 'choose'],
                ...tasks.map(
                  ({ task_small_id: id, is_deprecated: old }) =>
                    [`${id}`, `${id}: ${taskName(tasks, id)}${old ? ' (deprecated)' : ''}`] as const,
                ),
              ]}
              set={setTask}
            />
          ) : null}
          {has('price') ? (
            <Field
              label="Price of one million units, in USDC"
              value={price}
              set={setPrice}
              hint={micro === undefined ? 'With up to six decimals, such as 0.85.' : `${micro} micro-USDC for a million units`}
              wrong={price !== '' && micro === undefined ? 'A price has at most six decimals, such as 0.85.' : undefined}
            />
          ) : null}
          {has('units') ? (
            <Field
              label="Most units of a stack"
              value={units}
              set={setUnits}
              numeric
              hint="Optional."
              wrong={units !== '' && !whole(units) ? 'Units are a number.' : undefined}
            />
          ) : null}
          {has('model') ? (
            <>
              <Field label="Model" value={model} set={setModel} required />
              <Field
                label="Echelon"
                value={echelon}
                set={setEchelon}
                numeric
                required
                wrong={echelon !== '' && !whole(echelon) ? 'An echelon is a number.' : undefined}
              />
            </>
          ) : null}
          <button type="submit" class="primary" disabled={!ready || !mayAct.value}>
            Dry run
          </button>
        </form>
      )}
    </>
  );
}
