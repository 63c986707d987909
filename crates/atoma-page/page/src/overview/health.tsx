// Whether each part of the daemon works.
import type { ComponentChildren } from 'preact';
import type { Autopilot, Ready } from '../api/types';
import { modeText } from '../duties/autopilot';
import { Count, Sui } from '../ui/amount';
import { Mark } from '../ui/status';
import { bytes, daysLeft, type Parts } from './figures';

type Tone = 'good' | 'warn' | 'bad' | 'off';

function Row({ name, tone, state, children }: { name: string; tone: Tone; state: string; children?: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Mark of={tone}>{state}</Mark>
        <span class="quiet detail">{children}</span>
      </dd>
    </div>
  );
}

const unknown: Parts = {
  pipeline: [],
  chain: { checkpoint: undefined, lagSeconds: undefined, isUp: undefined },
  gas: { balance: undefined, spentDay: undefined },
  database: { isReadable: undefined, size: undefined, diskFree: undefined },
  transactions: { queued: 0n, submitted: 0n },
};

export function Health({
  parts,
  autopilot,
  ready,
}: {
  parts: Parts | undefined;
  autopilot: Autopilot | undefined;
  ready: Ready | undefined;
}) {
  const { chain, gas, database, transactions } = parts ?? unknown;
  const lag = chain.lagSeconds;
  const days = daysLeft(gas);
  const held = ready?.brakes?.held;
  const open = transactions.queued + transactions.submitted;
  const mode = autopilot ? (autopilot.mode === 'off' ? 'off' : autopilot.pause ? 'warn' : 'good') : 'off';
  return (
    <dl class="facts health">
      <Row
        name="Chain"
        tone={chain.isUp === false ? 'bad' : lag === undefined || lag > 30n ? 'warn' : 'good'}
        state={chain.isUp === false ? 'no answer' : lag === undefined ? 'unknown' : lag > 30n ? `${lag} s behind` : 'up to date'}
      >
        checkpoint <Count value={chain.checkpoint} />
      </Row>
      <Row name="Transactions" tone={held ? 'bad' : 'good'} state={held ? 'stopped' : open === 0n ? 'idle' : `${open} under way`}>
        {held ? held.error : transactions.queued > 0n ? `${transactions.queued} queued` : null}
      </Row>
      <Row
        name="Gas"
        tone={days !== undefined && days < 3n ? 'bad' : days !== undefined && days < 10n ? 'warn' : 'good'}
        state={days === undefined ? 'enough' : days > 365n ? 'over a year' : `${days} days left`}
      >
        <Sui value={gas.balance} />
      </Row>
      <Row
        name="Database"
        tone={database.isReadable === false ? 'bad' : 'good'}
        state={database.isReadable === false ? 'unreadable' : 'well'}
      >
        {database.size === undefined ? null : bytes(database.size)}
        {database.diskFree === undefined ? null : `, ${bytes(database.diskFree)} free`}
      </Row>
      <Row name="Autopilot" tone={mode} state={autopilot ? modeText(autopilot) : 'unknown'}>
        {autopilot?.pause?.explanation}
      </Row>
    </dl>
  );
}
