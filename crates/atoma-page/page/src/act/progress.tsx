// What a request has done so far, from the journal.
import { read } from '../api/client';
import { useResource } from '../live/resource';
import { TransactionTable } from '../transactions/table';
import { span } from '../ui/time';
import { tick } from '../live/connection';
import { useState } from 'preact/hooks';
import type { Write } from './writes';

export function Progress({ write, after }: { write: Write; after: bigint }) {
  const [started] = useState(Date.now());
  const journal = useResource(
    `progress ${write.path} ${after}`,
    async () => (await read('/transactions', {}, { limit: 1000n })).body,
    ['transactions'],
    700,
  );
  const stacks = new Set((write.body['stack_small_ids'] as bigint[] | undefined) ?? []);
  const rows = (journal.data ?? []).filter(
    ({ transaction_id: id, kind, stack_small_ids: ids }) =>
      id > after && write.kinds.includes(kind) && (stacks.size === 0 || ids.some((stack) => stacks.has(stack))),
  );
  const ended = rows.filter(({ status }) => status === 'succeeded' || status === 'failed').length;
  const total = Math.max(stacks.size, rows.length, 1);
  return (
    <div class="progress">
      <p role="status" aria-live="polite">
        Sent. {ended} of {total} ended.
      </p>
      <progress max={total} value={ended} aria-label="Transactions that have ended" />
      <p class="quiet">
        {span(tick.value - started)}. You can leave this page: the daemon goes on, and <a href="#/transactions">the transactions</a> show
        it.
      </p>
      {rows.length > 0 ? <TransactionTable rows={rows} empty="" /> : null}
    </div>
  );
}
