// What happened to a stack, on the chain and by the daemon.
import type { StackHistory } from '../api/types';
import { Count, Sui, Usdc } from '../ui/amount';
import { Digest } from '../ui/id';
import { Empty } from '../ui/loaded';
import { Mark, words } from '../ui/status';
import { When } from '../ui/time';

export function History({ history }: { history: StackHistory }) {
  return (
    <section aria-labelledby="history">
      <h2 id="history">History</h2>
      {history.is_complete ? null : <p class="notice stale">What happened before the mirror was rebuilt is not known.</p>}
      {history.steps.length === 0 ? <Empty>Nothing happened to it yet.</Empty> : null}
      <ol class="history">
        {history.steps.map((step) => (
          <li key={`${step.tx_digest} ${step.step} ${step.node_small_id}`} class={step.step}>
            <div class="head">
              <Mark of={step.step} />
              <span class="quiet">
                node {`${step.node_small_id}`}, epoch {`${step.epoch}`}
              </span>
              <When at={step.timestamp} />
            </div>
            <dl class="facts inline">
              {step.num_compute_units === null || step.num_compute_units === undefined ? null : (
                <div>
                  <dt>units</dt>
                  <dd>
                    <Count value={step.num_compute_units} />
                  </dd>
                </div>
              )}
              {step.amounts.map(({ kind, node_small_id: node, amount }) => (
                <div key={`${kind} ${node}`}>
                  <dt>
                    {words(kind)}
                    {node === step.node_small_id ? '' : `, node ${node}`}
                  </dt>
                  <dd>
                    <Usdc value={amount} />
                  </dd>
                </div>
              ))}
              {step.gas_used === null || step.gas_used === undefined ? null : (
                <div>
                  <dt>gas</dt>
                  <dd>
                    <Sui value={step.gas_used} />
                  </dd>
                </div>
              )}
              <div>
                <dt>transaction</dt>
                <dd>
                  <Digest value={step.tx_digest} />
                </dd>
              </div>
            </dl>
          </li>
        ))}
      </ol>
      {history.differences.length === 0 ? null : (
        <p class="notice bad">
          {history.differences.length} amounts differ from what the chain paid:{' '}
          {history.differences.map(({ kind }) => words(kind)).join(', ')}. See <a href="#/earnings">the books</a>.
        </p>
      )}
    </section>
  );
}
