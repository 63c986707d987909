// The autopilot's rules. The configuration decides them; each names its key.
import type { AutopilotPolicy, DutyPolicies } from '../api/types';
import { Sui, Usdc } from '../ui/amount';
import { span } from '../ui/time';

const seconds = (value: bigint): string => span(Number(value) * 1000);
const percent = (permille: bigint): string => `${permille / 10n}${permille % 10n === 0n ? '' : `.${permille % 10n}`} %`;

function Rules({ duties, prefix }: { duties: DutyPolicies; prefix: string }) {
  const { attest, settle, claim } = duties;
  const rows: [string, string, string][] = [
    ['attest', 'Attest', attest ? 'on' : 'off'],
    ...(attest
      ? ([['attest_margin_s', 'Margin before the end of the epoch', seconds(attest.margin_s)]] as [string, string, string][])
      : []),
    ['settle', 'Settle', settle ? 'on' : 'off'],
    ...(settle
      ? ([
          ['settle_fill_percent', 'Settle when computed', percent(settle.fill_permille)],
          ['settle_idle_s', 'or idle for', seconds(settle.idle_after_s)],
          ['settle_quiet_percent', 'Not in the last part of an epoch', percent(settle.quiet_permille)],
        ] as [string, string, string][])
      : []),
    ['claim', 'Claim', claim ? 'on' : 'off'],
    ...(claim
      ? ([
          ['claim_gas_factor', 'Claim when worth its gas', `${claim.gas_factor} times`],
          ['claim_longest_wait_s', 'or after', seconds(claim.longest_wait_s)],
        ] as [string, string, string][])
      : []),
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
