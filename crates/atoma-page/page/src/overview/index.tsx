// Is it healthy, what did I earn, what is due, what is stuck and why.
import { Acknowledge } from '../alarms';
import { read } from '../api/client';
import type { Alarm, Autopilot } from '../api/types';
import { useAutopilot } from '../duties/autopilot';
import { useResource } from '../live/resource';
import { link } from '../shell/route';
import { Sui, Usdc } from '../ui/amount';
import { Empty, Freshness, Loaded } from '../ui/loaded';
import { Mark, words } from '../ui/status';
import { Ago, Countdown } from '../ui/time';
import { fetchParts, fetchSums } from './fetch';
import type { Earned } from './figures';
import { Health } from './health';
import { Pipeline } from './pipeline';
import { Verdict } from './verdict';

function EarnedIn({ name, earned }: { name: string; earned: Earned | undefined }) {
  return (
    <div class="earned">
      <dt>{name}</dt>
      <dd>
        <span class="figure">
          <Usdc value={earned?.received} />
        </span>
        <span class="quiet">
          gas <Sui value={earned?.gas} />
        </span>
      </dd>
    </div>
  );
}

function DueAndStuck({ autopilot }: { autopilot: Autopilot }) {
  const stuck = autopilot.counts.filter(({ standing }) => standing === 'blocked');
  const next = autopilot.next.slice(0, 6);
  return (
    <>
      <section aria-labelledby="due">
        <h2 id="due">
          <a href="#/duties">Due</a>
        </h2>
        <ul class="counts">
          {autopilot.counts
            .filter(({ standing }) => standing !== 'blocked')
            .map(({ duty, standing, reason, count }) => (
              <li key={`${duty} ${standing} ${reason}`}>
                <a href={link('/duties', { duty, standing })}>
                  <Mark of={standing}>{`${count} to ${duty}`}</Mark>
                </a>
                <span class="quiet"> {standing === 'due' ? 'now' : words(reason)}</span>
              </li>
            ))}
        </ul>
        {next.length === 0 ? <Empty>{autopilot.counts.length === 0 ? 'Nothing is due.' : 'Nothing is due now.'}</Empty> : null}
        <ol class="next">
          {next.map((duty) => (
            <li key={`${duty.duty} ${duty.stack_small_id} ${duty.node_small_id}`}>
              <Mark of={duty.standing}>{duty.duty}</Mark>{' '}
              {duty.stack_small_id === null || duty.stack_small_id === undefined ? (
                <span>node {`${duty.node_small_id}`}</span>
              ) : (
                <a href={`#/stacks/${duty.stack_small_id}`}>stack {`${duty.stack_small_id}`}</a>
              )}
              <span class="quiet"> {duty.explanation}</span>
              <span class="at">
                {duty.deadline ? (
                  <Countdown to={duty.deadline} after="overdue" />
                ) : duty.waits_until ? (
                  <Countdown to={duty.waits_until} after="now" />
                ) : null}
              </span>
            </li>
          ))}
        </ol>
      </section>
      <section aria-labelledby="stuck">
        <h2 id="stuck">
          <a href={link('/duties', { standing: 'blocked' })}>Stuck</a>
        </h2>
        {stuck.length === 0 ? <Empty>Nothing is stuck.</Empty> : null}
        <ul class="counts">
          {stuck.map(({ duty, reason, count }) => (
            <li key={`${duty} ${reason}`}>
              <a href={link('/duties', { duty, standing: 'blocked' })}>
                <Mark of="blocked">{`${count} to ${duty}`}</Mark>
              </a>
              <span class="quiet"> {words(reason)}</span>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}

function Firing({ alarms }: { alarms: Alarm[] }) {
  if (alarms.length === 0) return <Empty>No alarm fires.</Empty>;
  return (
    <ul class="alarms">
      {alarms.slice(0, 5).map((alarm) => (
        <li key={`${alarm.alarm_id}`}>
          <Mark of={alarm.severity} />
          <span class="summary">{alarm.summary}</span>
          <span class="quiet">
            <Ago at={alarm.since} />
            {alarm.deadline ? (
              <>
                , time left <Countdown to={alarm.deadline} after="none" />
              </>
            ) : null}
          </span>
          <Acknowledge alarm={alarm} />
        </li>
      ))}
    </ul>
  );
}

export function Overview() {
  const sums = useResource('sums', fetchSums, ['applied'], 10_000);
  const parts = useResource('parts', fetchParts, ['applied', 'status', 'transactions'], 10_000);
  const ready = useResource('ready', async () => (await read('/ready')).body, ['status', 'transactions'], 5000);
  const alarms = useResource(
    'alarms firing',
    async () => (await read('/alarms', {}, { state: 'firing', limit: 20n })).body,
    ['alarms'],
    2000,
  );
  const autopilot = useAutopilot();
  // Together, so that one does not push the other down when it comes.
  const isAwaited = [alarms, autopilot].some(({ data, error }) => data === undefined && error === undefined);
  return (
    <>
      <h1 tabIndex={-1} class="visually-hidden">
        Overview
      </h1>
      <div class="overview-head">
        <Verdict ready={ready} alarms={alarms.data} autopilot={autopilot.data} />
        {autopilot.data ? (
          <p class="epoch">
            <span class="quiet">Epoch {`${autopilot.data.epoch ?? '–'}`} ends in</span>{' '}
            <Countdown to={autopilot.data.epoch_ends_at} after="a moment" />
          </p>
        ) : null}
      </div>
      <Freshness of={sums} />
      <section aria-labelledby="earned">
        <h2 id="earned">
          <a href="#/earnings">Earned</a>
        </h2>
        <dl class="earned-row">
          <EarnedIn name="Today" earned={sums.data?.today} />
          <EarnedIn name="This epoch" earned={sums.data?.epoch} />
          <EarnedIn name="30 days" earned={sums.data?.month} />
        </dl>
      </section>
      <section aria-labelledby="pipeline">
        <h2 id="pipeline">
          From work to money <span class="quiet">in USDC</span>
        </h2>
        <Pipeline parts={parts.data?.pipeline} paid={sums.data?.paid} />
      </section>
      {isAwaited ? (
        <div class="skeleton tall" role="status">
          <span class="visually-hidden">Loading the duties and alarms…</span>
        </div>
      ) : (
        <div class="columns overview-columns">
          <div>
            <Loaded of={autopilot} what="the duties">
              {(data) => <DueAndStuck autopilot={data} />}
            </Loaded>
          </div>
          <div>
            <section aria-labelledby="alarms">
              <h2 id="alarms">
                <a href="#/alarms">Alarms</a>
              </h2>
              <Loaded of={alarms} what="the alarms" lines={2}>
                {(data) => <Firing alarms={data} />}
              </Loaded>
            </section>
            <section aria-labelledby="health">
              <h2 id="health">Health</h2>
              <Freshness of={parts} />
              <Health parts={parts.data} autopilot={autopilot.data} ready={ready.data} />
            </section>
          </div>
        </div>
      )}
    </>
  );
}
