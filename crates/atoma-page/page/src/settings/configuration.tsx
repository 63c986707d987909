// The daemon's configuration: each key with its value and where it comes from. The file decides; secrets are masked.
import { useState } from 'preact/hooks';
import { send } from '../api/client';
import { useResource } from '../live/resource';
import { mayAct } from '../session/session';
import { Field } from '../ui/form';
import { Loaded } from '../ui/loaded';
import { Table } from '../ui/table';

/** An entry of `GET /configuration`. */
interface Setting {
  key: string;
  value: string;
  /** Where the value comes from: the file, the environment, an option or a default. */
  origin: string;
  /** The line in the file. */
  line: bigint | null;
  /** The variable of the environment. */
  variable: string | null;
}

const originOf = ({ origin, line, variable }: Setting): string =>
  line !== null ? `${origin}, line ${line}` : variable !== null ? `${origin}: ${variable}` : origin;

function Settings() {
  const [search, setSearch] = useState('');
  const settings = useResource(
    'configuration',
    async () => (await send<{ settings: Setting[] }>('GET', '/configuration')).body.settings,
    ['status'],
    60_000,
  );
  return (
    <Loaded of={settings} what="the configuration" lines={8}>
      {(rows) => (
        <>
          <Field label="Search keys" value={search} set={setSearch} />
          <Table
            caption="Keys of the configuration"
            columns={[
              { name: 'Key', cell: ({ key }) => <code>{key}</code> },
              { name: 'Value', cell: ({ value }) => <code class="value">{typeof value === 'string' ? value : String(value)}</code> },
              { name: 'From', cell: originOf },
            ]}
            rows={rows.filter(({ key }) => key.includes(search.trim().toLowerCase()))}
            id={({ key }) => key}
            empty="No such key."
          />
        </>
      )}
    </Loaded>
  );
}

export function Configuration() {
  return (
    <section aria-labelledby="configuration">
      <h2 id="configuration">Configuration</h2>
      <p class="quiet">The file and the environment decide. Most keys count from the next start of the daemon.</p>
      {mayAct.value ? (
        <Settings />
      ) : (
        <p class="notice stale">
          Only tokens with the scope <code>operate</code> may read it.
        </p>
      )}
    </section>
  );
}
