// One sentence: is everything well, and if not, what is wrong.
import type { Alarm, Autopilot, Ready } from '../api/types';
import type { Resource } from '../live/resource';
import { connection } from '../live/connection';
import { Refused } from '../api/client';

interface Verdict {
  tone: 'good' | 'warn' | 'bad';
  text: string;
  more: string[];
}

function verdictOf(ready: Resource<Ready>, alarms: Alarm[] | undefined, autopilot: Autopilot | undefined): Verdict | undefined {
  if (connection.value === 'lost') return { tone: 'bad', text: 'The daemon does not answer.', more: [] };
  if (ready.error instanceof Refused) {
    const reasons = ready.error.details['reasons'];
    const words = Array.isArray(reasons)
      ? reasons.map((reason) => (typeof reason === 'string' ? reason : JSON.stringify(reason)))
      : [ready.error.message];
    return { tone: 'bad', text: 'The daemon is not ready.', more: words };
  }
  const firing = (alarms ?? []).filter(({ state }) => state === 'firing');
  const critical = firing.filter(({ severity }) => severity === 'critical');
  const more = [...(ready.data?.warnings ?? []), ...(ready.data?.brakes?.held ? [ready.data.brakes.held.error] : [])];
  if (critical.length > 0)
    return {
      tone: 'bad',
      text: critical.length === 1 ? 'One critical alarm needs you.' : `${critical.length} critical alarms need you.`,
      more,
    };
  if (firing.length > 0)
    return { tone: 'warn', text: firing.length === 1 ? 'One alarm needs you.' : `${firing.length} alarms need you.`, more };
  const blocked = (autopilot?.counts ?? []).filter(({ standing }) => standing === 'blocked').reduce((sum, { count }) => sum + count, 0n);
  if (more.length > 0) return { tone: 'warn', text: 'The daemon works, with warnings.', more };
  if (blocked > 0n)
    return { tone: 'warn', text: `The daemon is healthy. ${blocked === 1n ? 'One duty is' : `${blocked} duties are`} stuck.`, more };
  if (!ready.data) return undefined;
  return { tone: 'good', text: 'All is well.', more };
}

export function Verdict({
  ready,
  alarms,
  autopilot,
}: {
  ready: Resource<Ready>;
  alarms: Alarm[] | undefined;
  autopilot: Autopilot | undefined;
}) {
  const verdict = verdictOf(ready, alarms, autopilot);
  if (!verdict) return <p class="verdict">Looking…</p>;
  return (
    <div class={`verdict ${verdict.tone}`} role="status">
      <p>
        <span class="dot" aria-hidden="true" />
        {verdict.text}
      </p>
      {verdict.more.length > 0 ? (
        <ul>
          {verdict.more.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}
