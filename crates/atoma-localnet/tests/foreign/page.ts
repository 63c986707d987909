// The script of a page that reads a stack with the TypeScript Sui SDK, as an application would.
import { bcs } from '@mysten/sui/bcs';
import { SuiGrpcClient } from '@mysten/sui/grpc';

const Table = bcs.struct('Table', { id: bcs.Address, size: bcs.u64() });
/** The first fields of the AtomaDb. */
const AtomaDb = bcs.struct('AtomaDb', {
  id: bcs.Address,
  tickets: bcs.Address,
  next_node_small_id: bcs.u64(),
  next_task_small_id: bcs.u64(),
  next_stack_small_id: bcs.u64(),
  nodes: Table,
  models: Table,
  tasks: Table,
  stacks: Table,
});
const Stack = bcs.struct('Stack', {
  owner: bcs.Address,
  price_per_one_million_compute_units: bcs.u64(),
  num_compute_units: bcs.u64(),
  selected_node_id: bcs.u64(),
  task_small_id: bcs.u64(),
  is_claimed: bcs.bool(),
});

async function readStack() {
  const parameters = new URLSearchParams(location.search);
  const given = (name: string) => parameters.get(name) ?? '';
  const client = new SuiGrpcClient({ network: 'localnet', baseUrl: given('url') });
  const { object } = await client.core.getObject({ objectId: given('db'), include: { content: true } });
  const { stacks } = AtomaDb.parse(object.content);
  const { dynamicField } = await client.core.getDynamicField({
    parentId: stacks.id,
    name: { type: `${given('package')}::db::StackSmallId`, bcs: bcs.u64().serialize(given('stack')).toBytes() },
  });
  return Stack.parse(dynamicField.value.bcs);
}

const out = document.querySelector('output');
readStack().then(
  (stack) => {
    if (out) out.value = JSON.stringify(stack);
    document.title = 'read';
  },
  (error: unknown) => {
    if (out) out.value = String(error);
    document.title = 'failed';
  },
);
