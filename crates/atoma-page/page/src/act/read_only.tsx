import { mayAct } from '../session/session';

/** Says why nothing can be sent. */
export function ReadOnly() {
  if (mayAct.value) return null;
  return (
    <p class="notice stale">
      Your token has the scope <code>read</code>: it can look and not act. Sign in with a token of the scope <code>operate</code>.
    </p>
  );
}
