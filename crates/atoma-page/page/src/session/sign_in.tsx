import { useState } from 'preact/hooks';
import { Problem } from '../ui/loaded';
import { signIn } from './session';

/** Signing in with an API token. */
export function SignIn({ reason }: { reason: string | undefined }) {
  const [token, setToken] = useState('');
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await signIn(token.trim());
    } catch (problem) {
      setError(problem as Error);
    }
    setBusy(false);
  };
  return (
    <main class="sign-in" id="main">
      <form onSubmit={(event) => void submit(event)}>
        <img src="/icon.svg" alt="" width="40" height="40" />
        <h1>Atoma node</h1>
        {reason ? (
          <p class="notice stale" role="status">
            {reason}
          </p>
        ) : null}
        <label for="token">API token</label>
        <input
          id="token"
          type="password"
          autocomplete="current-password"
          spellcheck={false}
          required
          value={token}
          onInput={({ currentTarget }) => setToken(currentTarget.value)}
        />
        <p class="quiet">
          The configuration names it under <code>tokens</code>. With the scope <code>read</code> you can look, with <code>operate</code> you
          can act. The page does not keep it: the daemon keeps a session, which ends when you sign out.
        </p>
        {error ? <Problem error={error} /> : null}
        <button type="submit" class="primary" disabled={busy || token.trim() === ''}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </main>
  );
}
