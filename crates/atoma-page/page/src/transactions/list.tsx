import { replaceQuery, route, smallId } from '../shell/route';
import { Choice } from '../ui/form';
import { Loaded } from '../ui/loaded';
import { useNodes } from '../ui/names';
import { PageButtons, usePage } from '../ui/pages';
import { words } from '../ui/status';
import { TransactionTable } from './table';

const kinds = [
  'register_node',
  'subscribe_to_model',
  'subscribe_to_task',
  'update_subscription',
  'unsubscribe_from_task',
  'rotate_node_key',
  'withdraw_fees',
  'settle_stack',
  'attest_settlement',
  'start_dispute',
  'claim_stack',
  'claim_confidential_stack',
] as const;
const statuses = ['queued', 'submitted', 'succeeded', 'failed'] as const;

export function Transactions() {
  const { query } = route.value;
  const filter = { kind: query.get('kind') ?? '', status: query.get('status') ?? '', node: query.get('node') ?? '' };
  const nodes = useNodes().data ?? [];
  const page = usePage('/transactions', {}, { kind: filter.kind, status: filter.status, node_small_id: smallId(filter.node) }, [
    'transactions',
  ]);
  const set = (changes: Record<string, string>) =>
    replaceQuery({
      cursor: undefined,
      before: undefined,
      ...Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, value || undefined])),
    });
  return (
    <>
      <h1 tabIndex={-1}>Transactions</h1>
      <div class="filters">
        <Choice
          label="What"
          value={filter.kind}
          options={[['', 'all'], ...kinds.map((kind) => [kind as string, words(kind)] as const)]}
          set={(kind) => set({ kind })}
        />
        <Choice
          label="Status"
          value={filter.status}
          options={[['', 'all'], ...statuses.map((status) => [status as string, status] as const)]}
          set={(status) => set({ status })}
        />
        <Choice
          label="Node"
          value={filter.node}
          options={[['', 'all'], ...nodes.map(({ node_small_id: id }) => [`${id}`, `node ${id}`] as const)]}
          set={(node) => set({ node })}
        />
      </div>
      <Loaded of={page} what="the transactions" lines={10}>
        {({ body, next }) => (
          <>
            <TransactionTable
              rows={body}
              empty={filter.kind || filter.status || filter.node ? 'None of these.' : 'The daemon has sent no transaction yet.'}
            />
            <PageButtons next={next} count={body.length} what="transactions" />
          </>
        )}
      </Loaded>
    </>
  );
}
