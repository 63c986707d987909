// The autopilot: its mode, its pause, and its rules.
import { useState } from 'preact/hooks';
import { read, send } from '../api/client';
import type { Autopilot } from '../api/types';
import { changed, type Resource, useResource } from '../live/resource';
import { mayAct } from '../session/session';
import { link } from '../shell/route';
import { Dialog } from '../ui/dialog';
import { Choice, Field } from '../ui/form';
import { Loaded, Problem } from '../ui/loaded';
import { Mark, words } from '../ui/status';
import { Ago, Countdown } from '../ui/time';
import { Policy } from './policy';

export const useAutopilot = (): Resource<Autopilot> =>
  useResource('autopilot', async () => (await read('/autopilot')).body, ['autopilot', 'applied'], 2000);

type PauseScope = NonNullable<Autopilot['pause']>['scope'];

function PauseDialog({ close }: { close: () => void }) {
  const [scope, setScope] = useState<PauseScope>('all_but_attestations');
  const [note, setNote] = useState('');
  const [error, setError] = useState<Error>();
  const pause = async (event: Event) => {
    event.preventDefault();
    try {
      await send('POST', '/autopilot/pause', { body: { scope, ...(note ? { note } : {}) } });
      close();
      changed(['autopilot']);
    } catch (problem) {
      setError(problem as Error);
    }
  };
  return (
    <Dialog title="Pause the autopilot" close={close}>
      <form onSubmit={(event) => void pause(event)}>
        <Choice
          label="What stops"
          value={scope}
          options={[
            ['all_but_attestations', 'all but attestations'],
            ['all', 'everything, attestations too'],
          ]}
          set={setScope}
        />
        <Field label="Note" value={note} set={setNote} hint="Optional, for whoever resumes it." />
        {scope === 'all' ? <p class="notice stale">A node that does not attest in time loses its share.</p> : null}
        {error ? <Problem error={error} /> : null}
        <div class="confirm">
          <button type="submit" class="primary">
            Pause
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function PauseOrResume({ autopilot }: { autopilot: Autopilot }) {
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<Error>();
  const resume = async () => {
    setError(undefined);
    try {
      await send('POST', '/autopilot/resume');
    } catch (problem) {
      setError(problem as Error);
    }
    changed(['autopilot']);
  };
  if (!mayAct.value) return null;
  return (
    <>
      {autopilot.pause ? (
        <button type="button" class="primary" onClick={() => void resume()}>
          Resume
        </button>
      ) : null}
      <button type="button" onClick={() => setAsking(true)}>
        {autopilot.pause ? 'Pause more…' : 'Pause…'}
      </button>
      {error ? <Problem error={error} /> : null}
      {asking ? <PauseDialog close={() => setAsking(false)} /> : null}
    </>
  );
}

export const modeText = ({ mode, pause }: Autopilot): string =>
  mode === 'off' ? 'off' : pause ? `paused${pause.scope === 'all' ? '' : ', attests'}` : mode === 'plan' ? 'only plans' : 'on';

export function AutopilotPanel() {
  const autopilot = useAutopilot();
  return (
    <section class="panel" aria-label="Autopilot">
      <Loaded of={autopilot} what="the autopilot" lines={3}>
        {(data) => (
          <>
            <div class="panel-head">
              <p class="lead">
                Autopilot <Mark of={data.mode === 'off' ? 'off' : data.pause ? 'paused' : 'good'}>{modeText(data)}</Mark>
              </p>
              <div class="buttons">{data.mode === 'off' ? null : <PauseOrResume autopilot={data} />}</div>
            </div>
            {data.mode === 'off' ? (
              <p class="quiet">
                It does nothing by itself. What it would do is below. The key <code>autopilot.mode</code> of the configuration turns it on.
              </p>
            ) : null}
            {data.pause ? (
              <p class="notice stale">
                {data.pause.explanation} <code class="code">{data.pause.reason}</code>{' '}
                <span class="quiet">
                  since <Ago at={data.pause.since} />
                </span>
              </p>
            ) : null}
            {data.writes_stopped ? <p class="notice bad">All writes are stopped: {data.writes_stopped}</p> : null}
            <p class="quiet">
              Looked <Ago at={data.looked_at} />. Epoch {`${data.epoch ?? '–'}`} ends in{' '}
              <Countdown to={data.epoch_ends_at} after="a moment" />. {`${data.recent_failures}`} recent failures, of{' '}
              {`${data.policy.max_failures}`} that pause it.
            </p>
            <ul class="counts">
              {data.counts.map(({ duty, standing, reason, count }) => (
                <li key={`${duty} ${standing} ${reason}`}>
                  <a href={link('/duties', { duty, standing })}>
                    <Mark of={standing}>{`${count} ${duty}, ${standing}`}</Mark>
                  </a>
                  <span class="quiet"> {words(reason)}</span>
                </li>
              ))}
            </ul>
            <Policy policy={data.policy} />
          </>
        )}
      </Loaded>
    </section>
  );
}
