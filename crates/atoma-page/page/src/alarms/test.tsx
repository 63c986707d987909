import { useState } from 'preact/hooks';
import { send } from '../api/client';
import type { components } from '../api/schema';
import { mayAct } from '../session/session';
import { Problem } from '../ui/loaded';
import { Mark } from '../ui/status';

type Told = components['schemas']['AlarmTest'];

/** Sends a test message to every receiver. */
export function TestMessage() {
  const [told, setTold] = useState<Told>();
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  if (!mayAct.value) return null;
  const test = async () => {
    setBusy(true);
    setError(undefined);
    try {
      setTold((await send<Told>('POST', '/alarms/test')).body);
    } catch (problem) {
      setError(problem as Error);
    }
    setBusy(false);
  };
  return (
    <section aria-labelledby="receivers">
      <h2 id="receivers">Receivers</h2>
      <p class="quiet">
        The table <code>alarms.receivers</code> of the configuration lists them.
      </p>
      <button type="button" disabled={busy} onClick={() => void test()}>
        {busy ? 'Sending…' : 'Send a test message'}
      </button>
      <div role="status">
        {told?.receivers.length === 0 ? <p class="quiet">There is no receiver.</p> : null}
        {told?.receivers.map(({ receiver, is_delivered: delivered, problem }) => (
          <p key={receiver}>
            <Mark of={delivered ? 'good' : 'bad'}>{receiver}</Mark> {delivered ? 'took it' : problem}
          </p>
        ))}
      </div>
      {error ? <Problem error={error} /> : null}
    </section>
  );
}
