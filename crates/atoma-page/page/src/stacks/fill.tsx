import type { Stack } from '../api/types';
import { grouped, permille } from '../ui/amount';
import { Fill } from '../ui/status';

/** How much of a stack is computed and reserved. */
export function StackFill({ stack }: { stack: Stack }) {
  const used = permille(stack.already_computed_units, stack.num_compute_units);
  const reserved = permille(stack.reserved_units, stack.num_compute_units);
  const label = `${grouped(stack.already_computed_units)} of ${grouped(stack.num_compute_units)} units computed, ${grouped(stack.reserved_units)} reserved`;
  return (
    <span class="fill-cell" title={label}>
      <Fill used={used} reserved={reserved} label={label} />
      <span class="amount">
        {Math.floor(used / 10)}.{used % 10} %
      </span>
    </span>
  );
}
