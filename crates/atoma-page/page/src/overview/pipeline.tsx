// The way of the money, from the work to the payment.
import { Count, Usdc } from '../ui/amount';
import type { Part } from './figures';

export function Pipeline({ parts }: { parts: Part[] }) {
  return (
    <ol class="pipeline">
      {parts.map(({ stage, stacks, amount, href }) => (
        <li key={stage} class={stage}>
          <a href={href}>
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
