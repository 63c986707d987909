// Who asked for what. The daemon writes it to its log and to no place that the API could read.
import { CopyButton } from '../ui/id';

const command = "journalctl -u atoma-daemon -g 'atoma::audit' -n 100";

export function Audit() {
  return (
    <>
      <h1 tabIndex={-1}>Audit log</h1>
      <p class="lead">
        Every request that writes is a line of the daemon's log: the token's name, the request, its outcome and its transactions. Requests
        of this page are among them.
      </p>
      <p>
        The lines have the target <code>atoma::audit</code>. On a machine with systemd, this shows the last hundred:
      </p>
      <p class="command">
        <code>{command}</code>
        <CopyButton value={command} what="command" />
      </p>
      <p>
        What was sent to the chain is under <a href="#/transactions">Transactions</a>.
      </p>
    </>
  );
}
