// Who asked for what.
export function Audit() {
  return (
    <>
      <h1 tabIndex={-1}>Audit log</h1>
      <p class="lead">
        Every request that writes is a line of the daemon's log with the target atoma::audit: who, what, and what came of it.
      </p>
    </>
  );
}
