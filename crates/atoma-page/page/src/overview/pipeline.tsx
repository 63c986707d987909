// The way of the money, from the work to the payment.
import { link } from '../shell/route';
import { Count, Usdc } from '../ui/amount';
import type { Part } from './figures';

/** While the numbers are awaited, the stages have their places already. */
const awaited = ['served', 'settled', 'claimable', 'claimed', 'paid'].map((stage) => ({
  stage,
  stacks: undefined,
  amount: undefined,
}));

export function Pipeline({ parts, paid }: { parts: Part[] | undefined; paid: Part | undefined }) {
  const shown = awaited.map((stage) => [...(parts ?? []), paid].find((part) => part?.stage === stage.stage) ?? stage);
  return (
    <ol class="pipeline">
      {shown.map(({ stage, stacks, amount }) => (
        <li key={stage} class={stage}>
          <a href={stage === 'paid' ? '#/earnings' : link('/stacks', { stage })}>
            <span class="stage">{stage}</span>
            <span class="figure">
              <Usdc value={amount} bare />
            </span>
            <span class="quiet">
              <Count value={stacks} /> {stacks === 1n ? 'stack' : 'stacks'}
            </span>
          </a>
        </li>
      ))}
    </ol>
  );
}
