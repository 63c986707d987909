// One transaction with all its attempts.
import { useState } from 'preact/hooks';
import { address, read, send } from '../api/client';
import type { Attempt, Transaction } from '../api/types';
import { now } from '../live/connection';
import { changed, useResource } from '../live/resource';
import { mayAct } from '../session/session';
import { Sui } from '../ui/amount';
import { Dialog } from '../ui/dialog';
import { Digest } from '../ui/id';
import { Loaded, Problem } from '../ui/loaded';
import { Mark, words } from '../ui/status';
import { type Column, Table } from '../ui/table';
import { When } from '../ui/time';
import { StackLinks } from './table';
import { Timeline } from './timeline';

const attempts: Column<Attempt>[] = [
  { name: 'Digest', cell: (row) => <Digest value={row.tx_digest} /> },
  { name: 'Status', cell: (row) => <Mark of={row.status} /> },
  { name: 'Signed', cell: (row) => <When at={row.created_at} /> },
  { name: 'Concluded', cell: (row) => <When at={row.concluded_at} /> },
  { name: 'Gas, SUI', numeric: true, cell: (row) => <Sui value={row.gas_used} bare /> },
  { name: 'Budget, SUI', numeric: true, from: 'medium', cell: (row) => <Sui value={row.gas_budget} bare /> },
  { name: 'Checkpoint', numeric: true, from: 'medium', cell: (row) => `${row.checkpoint ?? '–'}` },
  { name: 'Expires after epoch', numeric: true, from: 'wide', cell: (row) => `${row.expires_after_epoch}` },
  { name: 'With', from: 'wide', cell: (row) => row.transaction_ids.map((id) => `${id}`).join(', ') },
  { name: 'Why', cell: (row) => row.error?.error ?? row.reason ?? '' },
];

function Abandon({ id }: { id: bigint }) {
  const [open, setOpen] = useState(false);
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const abandon = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await send<Transaction>('POST', address('/transactions/{id}/abandon', { id }));
      setOpen(false);
    } catch (problem) {
      setError(problem as Error);
    }
    setBusy(false);
    changed(['transactions']);
  };
  return (
    <>
      <button type="button" disabled={!mayAct.value} onClick={() => setOpen(true)}>
        Abandon…
      </button>
      {open ? (
        <Dialog title={`Abandon transaction ${id}?`} close={() => setOpen(false)}>
          <p>The daemon gives it up if it provably can't execute any more. If it still could, the daemon refuses and it goes on.</p>
          {error ? <Problem error={error} /> : null}
          <div class="confirm">
            <button type="button" class="primary" disabled={busy} onClick={() => void abandon()}>
              Abandon
            </button>
            <button type="button" onClick={() => setOpen(false)}>
              Keep it
            </button>
          </div>
        </Dialog>
      ) : null}
    </>
  );
}

/** `id` is a number or a digest. */
export function OneTransaction({ id }: { id: string }) {
  const transaction = useResource(`transaction ${id}`, async () => (await read('/transactions/{id}', { id })).body, ['transactions']);
  return (
    <>
      <p class="up">
        <a href="#/transactions">Transactions</a>
      </p>
      <h1 tabIndex={-1}>Transaction {id}</h1>
      <Loaded of={transaction} what="the transaction" lines={8}>
        {(data) => {
          const isOpen = data.status === 'queued' || data.status === 'submitted';
          const problem = data.error ?? data.waiting_for;
          return (
            <>
              <p class="lead">
                {words(data.kind)} <Mark of={data.status} />
              </p>
              {problem ? (
                <p class={data.error ? 'notice bad' : 'notice stale'}>
                  {problem.error} <code class="code">{problem.code}</code>
                </p>
              ) : null}
              {isOpen ? <Abandon id={data.transaction_id} /> : null}
              <Timeline transaction={data} until={isOpen ? now.value : now.peek()} />
              <dl class="facts inline">
                <div>
                  <dt>Node</dt>
                  <dd>{`${data.node_small_id ?? '–'}`}</dd>
                </div>
                <div>
                  <dt>Stacks</dt>
                  <dd>
                    <StackLinks ids={data.stack_small_ids} most={50} />
                  </dd>
                </div>
                <div>
                  <dt>Digest</dt>
                  <dd>
                    <Digest value={data.tx_digest} />
                  </dd>
                </div>
                <div>
                  <dt>Created</dt>
                  <dd>
                    <When at={data.created_at} />
                  </dd>
                </div>
                <div>
                  <dt>Changed</dt>
                  <dd>
                    <When at={data.updated_at} />
                  </dd>
                </div>
                <div>
                  <dt>Gas of all attempts</dt>
                  <dd>
                    <Sui value={data.gas_used} />
                  </dd>
                </div>
              </dl>
              <h2>Attempts</h2>
              <Table
                caption="Attempts"
                columns={attempts}
                rows={data.attempts}
                id={(row) => row.tx_digest}
                empty="Nothing is signed yet."
              />
            </>
          );
        }}
      </Loaded>
    </>
  );
}
