// The line at the top: whether what is shown is current, and who is signed in.
import { useState } from 'preact/hooks';
import { connection, heardAt, tick } from '../live/connection';
import { askForToken, session, signOut } from '../session/session';
import { clockTime, span } from '../ui/time';

function ConnectionState() {
  const silent = tick.value - heardAt.value;
  switch (connection.value) {
    case 'live':
      return <span class="connection live">Live</span>;
    case 'asking':
      return <span class="connection asking">Asking every 10 s</span>;
    case 'starting':
      return <span class="connection asking">Connecting…</span>;
    case 'lost':
      return <span class="connection lost">No answer for {span(silent)}</span>;
  }
}

/** A broken connection, across the page. */
export function Lost() {
  if (connection.value !== 'lost') return null;
  return (
    <p class="notice bad lost-banner">
      The daemon does not answer. What you see is of {clockTime(heardAt.value)} or older. The page asks again by itself.
    </p>
  );
}

export function Top() {
  const state = session.value;
  const [problem, setProblem] = useState<string>();
  if (state.state !== 'signed_in') return null;
  const { scope, name, tokens_required: required } = state.session;
  const leave = () => signOut().catch((error: Error) => setProblem(error.message));
  return (
    <header class="top">
      <a class="brand" href="#/">
        <img src="/icon.svg" alt="" width="22" height="22" />
        <span>Atoma node</span>
      </a>
      <div role="status" aria-live="polite">
        <ConnectionState />
      </div>
      <div class="who">
        {problem ? <span class="bad-text">{problem}</span> : null}
        <span class="token">
          {name ?? 'no token'} <span class="scope">{scope}</span>
        </span>
        {!required ? null : name === null ? (
          <button type="button" class="plain" onClick={askForToken}>
            Sign in
          </button>
        ) : (
          <button type="button" class="plain" onClick={() => void leave()}>
            Sign out
          </button>
        )}
      </div>
    </header>
  );
}
