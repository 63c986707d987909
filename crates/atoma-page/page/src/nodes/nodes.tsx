// Your nodes, what they offer, and their keys.
import { read } from '../api/client';
import type { NodeKey, Subscription } from '../api/types';
import { useResource } from '../live/resource';
import { mayAct } from '../session/session';
import { link } from '../shell/route';
import { Count, Usdc } from '../ui/amount';
import { Id } from '../ui/id';
import { Empty, Loaded } from '../ui/loaded';
import { taskName, useNodes, useTasks } from '../ui/names';
import { Mark } from '../ui/status';
import { type Column, Table } from '../ui/table';

async function subscriptionsOf(id: bigint): Promise<Subscription[]> {
  return (await read('/subscriptions/{node_small_id}', { node_small_id: id }, { limit: 1000n })).body;
}

function Subscriptions({ node }: { node: bigint }) {
  const subscriptions = useResource(`subscriptions ${node}`, () => subscriptionsOf(node), ['applied'], 5000);
  const tasks = useTasks().data;
  const columns: Column<Subscription>[] = [
    { name: 'Task', cell: ({ task_small_id: id }) => `${id}: ${taskName(tasks, id)}` },
    { name: 'Price of a million, USDC', numeric: true, cell: (row) => <Usdc value={row.price_per_one_million_compute_units} bare /> },
    { name: 'Most units', numeric: true, from: 'medium', cell: (row) => <Count value={row.max_num_compute_units} /> },
    { name: 'Valid', cell: ({ valid }) => <Mark of={valid ? 'good' : 'off'}>{valid ? 'offered' : 'ended'}</Mark> },
    {
      name: 'Act',
      cell: ({ task_small_id: task }) =>
        mayAct.value ? (
          <span class="row-acts">
            <a href={link('/act/price', { node, task })} aria-label={`Change the price of task ${task} on node ${node}`}>
              Price…
            </a>
            <a href={link('/act/unsubscribe', { node, task })} aria-label={`Unsubscribe node ${node} from task ${task}`}>
              Unsubscribe…
            </a>
          </span>
        ) : null,
    },
  ];
  return (
    <Loaded of={subscriptions} what="the subscriptions" lines={3}>
      {(rows) => (
        <Table
          caption={`Subscriptions of node ${node}`}
          columns={columns}
          rows={rows}
          id={(row) => `${row.task_small_id}`}
          empty="It offers no task."
        />
      )}
    </Loaded>
  );
}

export function Nodes() {
  const nodes = useNodes();
  const keys = useResource('keys', async (): Promise<NodeKey[]> => (await read('/node_keys')).body, ['applied'], 5000);
  return (
    <>
      <h1 tabIndex={-1}>Nodes</h1>
      {mayAct.value ? (
        <p class="buttons">
          <a class="button" href="#/act/register">
            Register a node…
          </a>
          <a class="button" href="#/act/subscribe">
            Subscribe to a task…
          </a>
        </p>
      ) : null}
      <Loaded of={nodes} what="the nodes">
        {(list) =>
          list.length === 0 ? (
            <Empty>No node yet. Register one to offer tasks.</Empty>
          ) : (
            <>
              {list.map((node) => {
                const key = keys.data?.find(({ node_small_id: id }) => id === node.node_small_id);
                return (
                  <section key={`${node.node_small_id}`} class="panel" aria-label={`Node ${node.node_small_id}`}>
                    <h2>Node {`${node.node_small_id}`}</h2>
                    <dl class="facts inline">
                      <div>
                        <dt>Badge</dt>
                        <dd>
                          <Id value={node.node_badge_id} what="object id" />
                        </dd>
                      </div>
                      <div>
                        <dt>Address</dt>
                        <dd>
                          <Id value={node.address} what="address" />
                        </dd>
                      </div>
                      <div>
                        <dt>Key commitment</dt>
                        <dd>{key ? <Id value={key.public_key_commitment} what="commitment" /> : <span class="quiet">none</span>}</dd>
                      </div>
                      <div>
                        <dt>Stacks</dt>
                        <dd>
                          <a href={link('/stacks', { node: node.node_small_id })}>show</a>
                        </dd>
                      </div>
                    </dl>
                    <Subscriptions node={node.node_small_id} />
                  </section>
                );
              })}
            </>
          )
        }
      </Loaded>
    </>
  );
}
