// One stack.
import { type Answer, read } from '../api/client';
import type { ClaimedStack, Duty, Reservation, Stack, StackHistory, Transaction } from '../api/types';
import { useResource } from '../live/resource';
import { mayAct } from '../session/session';
import { link } from '../shell/route';
import { TransactionTable } from '../transactions/table';
import { Count, Usdc } from '../ui/amount';
import { Id } from '../ui/id';
import { Empty, Loaded } from '../ui/loaded';
import { taskName, useTasks } from '../ui/names';
import { Mark } from '../ui/status';
import { type Column, Table } from '../ui/table';
import { Ago, Countdown, When } from '../ui/time';
import { StackFill } from './fill';
import { History } from './history';
import { Proof } from './proof';
import { Track } from './track';
import { nextAct, waitSentence } from './wait';

interface Whole {
  history: StackHistory;
  stack: Stack | undefined;
  ticket: ClaimedStack | undefined;
  duties: Duty[];
  reservations: Reservation[];
  transactions: Transaction[];
}

/** The entry of one stack in a list whose cursor is the id before it. */
const only = <T extends { stack_small_id: bigint }>(list: T[], id: bigint): T | undefined =>
  list.find(({ stack_small_id }) => stack_small_id === id);

async function fetchWhole(id: bigint): Promise<Whole> {
  const one = { limit: 1n, cursor: `${id - 1n}` };
  const [history, stacks, tickets, duties, reservations, transactions] = await Promise.all([
    read('/stacks/{stack_small_id}/history', { stack_small_id: id }),
    read('/stacks', {}, one),
    read('/claimed_stacks', {}, one),
    read('/duties/{stack_small_id}', { stack_small_id: id }),
    read('/reservations', {}, { stack_small_id: id }),
    read('/transactions', {}, { stack_small_id: id, limit: 50n }),
  ]);
  return {
    history: history.body,
    stack: only(stacks.body as Answer<'/stacks'>, id),
    ticket: only(tickets.body, id),
    duties: duties.body,
    reservations: reservations.body,
    transactions: transactions.body,
  };
}

const reservationColumns: Column<Reservation>[] = [
  { name: 'Reservation', cell: (row) => `${row.reservation_id}` },
  { name: 'Holder', cell: (row) => row.holder ?? <span class="quiet">none</span> },
  { name: 'Units', numeric: true, cell: (row) => <Count value={row.num_compute_units} /> },
  { name: 'Since', from: 'medium', cell: (row) => <When at={row.created_at} /> },
  { name: 'Expires in', cell: (row) => <Countdown to={row.expires_at} after="expired" /> },
];

function Standing({ whole, id }: { whole: Whole; id: bigint }) {
  const { waits } = whole.history;
  const act = nextAct(waits);
  return (
    <div class="standing">
      {waits ? (
        <p>
          {waitSentence(waits)}
          {waits.since ? (
            <span class="quiet">
              {' '}
              Since <Ago at={waits.since} />.
            </span>
          ) : null}
          {waits.transaction_waits ? <span class="bad-text"> Its transaction waits: {waits.transaction_waits}</span> : null}
        </p>
      ) : (
        <p>Nothing is left to do.</p>
      )}
      {whole.duties.map((duty) => (
        <p key={`${duty.duty} ${duty.node_small_id}`} class="quiet">
          <Mark of={duty.standing} /> Autopilot, {duty.duty} by node {`${duty.node_small_id}`}: {duty.explanation}.
          {duty.waits_until ? (
            <>
              {' '}
              Next look in <Countdown to={duty.waits_until} after="no time" />.
            </>
          ) : null}
        </p>
      ))}
      {act && mayAct.value ? (
        <a class="button primary" href={link(`/act/${act}`, { stacks: id })}>
          {act === 'settle' ? 'Settle…' : act === 'attest' ? 'Attest…' : 'Claim…'}
        </a>
      ) : null}
    </div>
  );
}

export function OneStack({ id }: { id: bigint }) {
  const whole = useResource(`stack ${id}`, () => fetchWhole(id), ['applied', 'transactions', 'autopilot']);
  const tasks = useTasks().data;
  return (
    <>
      <p class="up">
        <a href="#/stacks">Stacks</a>
      </p>
      <h1 tabIndex={-1}>Stack {`${id}`}</h1>
      <Loaded of={whole} what="the stack" lines={12}>
        {(data) => (
          <>
            <p class="lead">
              {taskName(tasks, data.history.task_small_id)}
              <span class="quiet">
                {' '}
                · task {`${data.history.task_small_id ?? '–'}`} · served by node {`${data.history.selected_node_id ?? '–'}`}
              </span>
            </p>
            <Track stage={data.history.stage} waits={data.history.waits !== null && data.history.waits !== undefined} />
            <Standing whole={data} id={id} />
            <div class="columns">
              <section aria-labelledby="units">
                <h2 id="units">Units</h2>
                {data.stack ? <StackFill stack={data.stack} /> : <p class="quiet">The contract has deleted the stack with its claim.</p>}
                <dl class="facts">
                  <Fact name="Bought">
                    <Count value={data.history.num_compute_units} />
                  </Fact>
                  <Fact name="Computed">
                    <Count value={data.history.already_computed_units} />
                  </Fact>
                  <Fact name="Reserved">
                    <Count value={data.stack?.reserved_units} />
                  </Fact>
                  <Fact name="Free">
                    <Count value={data.stack?.free_units} />
                  </Fact>
                  <Fact name="Messages">
                    <Count value={data.stack?.num_total_messages} />
                  </Fact>
                  <Fact name="Price of a million">
                    <Usdc value={data.history.price_per_one_million_compute_units} />
                  </Fact>
                  <Fact name="Owner">
                    <Id value={data.stack?.owner_address} what="address" />
                  </Fact>
                  <Fact name="Object">
                    <Id value={data.stack?.stack_id} what="object id" />
                  </Fact>
                </dl>
              </section>
              <Proof stack={data.stack} ticket={data.ticket} />
            </div>
            <History history={data.history} />
            <section aria-labelledby="transactions">
              <h2 id="transactions">Transactions of this daemon</h2>
              <TransactionTable rows={data.transactions} empty="This daemon has sent none for it." />
            </section>
            <section aria-labelledby="reservations">
              <h2 id="reservations">Reservations</h2>
              {data.reservations.length === 0 ? (
                <Empty>No open reservations.</Empty>
              ) : (
                <Table
                  caption="Reservations"
                  columns={reservationColumns}
                  rows={data.reservations}
                  id={(row) => `${row.reservation_id}`}
                  empty=""
                />
              )}
            </section>
          </>
        )}
      </Loaded>
    </>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
