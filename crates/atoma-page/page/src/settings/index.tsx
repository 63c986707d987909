import { useState } from 'preact/hooks';
import { session } from '../session/session';
import { Field, Switch } from '../ui/form';
import { When } from '../ui/time';
import { Configuration } from './configuration';
import { explorer, isExplorer, setExplorer } from './explorer';
import { density, theme } from './theme';

function Explorer() {
  const [text, setText] = useState(explorer.value);
  const wrong = text !== '' && !isExplorer(text) ? 'An address with {digest} where the digest goes.' : undefined;
  const save = (value: string) => {
    setText(value);
    if (value === '' || isExplorer(value)) setExplorer(value);
  };
  return (
    <Field
      label="Explorer for digests"
      value={text}
      set={save}
      type="url"
      placeholder="https://suiscan.xyz/testnet/tx/{digest}"
      hint="Digests become links to it. Nothing is requested before you follow one."
      wrong={wrong}
    />
  );
}

export function Settings() {
  const state = session.value;
  return (
    <>
      <h1 tabIndex={-1}>Settings</h1>
      <section class="panel" aria-labelledby="page-settings">
        <h2 id="page-settings">This page, in this browser</h2>
        <div class="settings">
          <div class="field">
            <span class="label">Colours</span>
            <Switch
              label="Colours"
              value={theme.value}
              options={[
                ['system', 'As the system'],
                ['light', 'Light'],
                ['dark', 'Dark'],
              ]}
              set={(value) => (theme.value = value)}
            />
          </div>
          <div class="field">
            <span class="label">Tables</span>
            <Switch
              label="Tables"
              value={density.value}
              options={[
                ['comfortable', 'Comfortable'],
                ['dense', 'Dense'],
              ]}
              set={(value) => (density.value = value)}
            />
          </div>
          <Explorer />
        </div>
      </section>
      {state.state === 'signed_in' ? (
        <section class="panel" aria-labelledby="session-settings">
          <h2 id="session-settings">Session</h2>
          <dl class="facts">
            <div>
              <dt>Token</dt>
              <dd>
                {state.session.tokens_required
                  ? (state.session.name ?? 'unnamed')
                  : 'none is needed: the API listens on loopback without tokens'}
              </dd>
            </div>
            <div>
              <dt>Scope</dt>
              <dd>{state.session.scope}</dd>
            </div>
            {state.session.expires_at ? (
              <div>
                <dt>Ends</dt>
                <dd>
                  <When at={state.session.expires_at} />
                </dd>
              </div>
            ) : null}
          </dl>
        </section>
      ) : null}
      <Configuration />
    </>
  );
}
