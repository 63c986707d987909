// The autopilot's rules. The configuration decides them; each names its key.
import type { AutopilotPolicy, DutyPolicies } from '../api/types';
import { Sui, Usdc } from '../ui/amount';
import { span } from '../ui/time';

const seconds = (value: bigint): string => span(Number(value) * 1000);
const onOff = (on: boolean): string => (on ? 'on' : 'off');

function Rules({ duties, prefix }: { duties: DutyPolicies; prefix: string }) {
  const rows: [string, string, string][] = [
    ['attest', 'Attest', onOff(duties.attest)],
    ['attest_margin_s', 'Margin before the end of the epoch', seconds(duties.attest_margin_s)],
    ['settle', 'Settle', onOff(duties.settle)],
    ['settle_fill_percent', 'Settle when computed', `${duties.settle_fill_percent} %`],
    ['settle_idle_s', 'or idle for', seconds(duties.settle_idle_s)],
    ['settle_quiet_percent', 'Not in the last part of an epoch', `${duties.settle_quiet_percent} %`],
    ['claim', 'Claim and withdraw', onOff(duties.claim)],
    ['claim_gas_factor', 'Claim when worth its gas', `${duties.claim_gas_factor} times`],
    ['claim_longest_wait_s', 'or after', seconds(duties.claim_longest_wait_s)],
  ];
  return (
    <>
      {rows.map(([key, name, value]) => (
        <div key={key}>
          <dt>
            {name}
            <code class="key">{`${prefix}${key}`}</code>
          </dt>
          <dd>{value}</dd>
        </div>
      ))}
    </>
  );
}

export function Policy({ policy }: { policy: AutopilotPolicy }) {
  return (
    <details>
      <summary>Rules</summary>
      <p class="quiet">The configuration file decides these. The daemon reads them at its start.</p>
      <dl class="facts">
        <Rules duties={policy.duties} prefix="autopilot." />
        <div>
          <dt>
            Gas kept for attestations<code class="key">autopilot.gas_reserve_mist</code>
          </dt>
          <dd>
            <Sui value={policy.gas_reserve_mist} />
          </dd>
        </div>
        <div>
          <dt>
            Price of SUI<code class="key">autopilot.sui_price_micro_usdc</code>
          </dt>
          <dd>
            <Usdc value={policy.sui_price_micro_usdc} />
          </dd>
        </div>
        <div>
          <dt>
            Pause after failures<code class="key">autopilot.max_failures</code>
          </dt>
          <dd>
            {`${policy.max_failures}`} in {seconds(policy.failure_window_s)}
          </dd>
        </div>
      </dl>
      {policy.tasks.map(({ task_small_id: id, duties }) => (
        <div key={`${id}`}>
          <h3>Task {`${id}`}</h3>
          <dl class="facts">
            <Rules duties={duties} prefix="" />
          </dl>
        </div>
      ))}
    </details>
  );
}
