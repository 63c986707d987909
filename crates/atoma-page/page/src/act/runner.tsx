// A request on the page: first its dry run, then the question, then its progress and its results.
import { useEffect, useRef } from 'preact/hooks';
import { Refused } from '../api/client';
import { mayAct } from '../session/session';
import { Sui } from '../ui/amount';
import { Digest, Id } from '../ui/id';
import { Problem } from '../ui/loaded';
import { Progress } from './progress';
import { Results } from './results';
import { type Runner, sendable, useRun } from './run';
import { stackCount, type Write, type WriteAnswer } from './writes';

/** A heading that takes the focus when it appears, so that the next step is heard and the keyboard goes on from there. */
function Heading({ children }: { children: string }) {
  const element = useRef<HTMLHeadingElement>(null);
  useEffect(() => element.current?.focus(), []);
  return (
    <h2 ref={element} tabIndex={-1}>
      {children}
    </h2>
  );
}

const Warnings = ({ answer }: { answer: WriteAnswer }) => (
  <>
    {(answer.warnings ?? []).map((warning) => (
      <p key={warning} class="notice stale">
        {warning}
      </p>
    ))}
  </>
);

/** The gas of a dry run. An answer in which some stacks fail has it for each stack only. */
function gasOf({ estimated_gas: whole, results }: WriteAnswer): bigint | undefined {
  if (whole !== undefined && whole !== null) return whole;
  const parts = (results ?? []).flatMap(({ estimated_gas: gas }) => (gas === undefined || gas === null ? [] : [gas]));
  return parts.length > 0 ? parts.reduce((sum, gas) => sum + gas, 0n) : undefined;
}

function Checked({
  write,
  runner,
  answer,
  refused,
  back,
}: {
  write: Write;
  runner: Runner;
  answer: WriteAnswer;
  refused: Error | undefined;
  back: () => void;
}) {
  const results = answer.results;
  const body = refused && !results?.some(({ status }) => status !== 'failed') ? undefined : sendable(write, answer);
  const asked = (write.body['stack_small_ids'] as bigint[] | undefined)?.length;
  const sent = (body?.['stack_small_ids'] as bigint[] | undefined)?.length;
  const gas = gasOf(answer);
  const leftOut = asked !== undefined && sent !== undefined ? asked - sent : 0;
  const verb =
    asked !== undefined && sent !== undefined && asked !== sent ? write.verb.replace(stackCount(asked), stackCount(sent)) : write.verb;
  return (
    <section aria-label="Dry run">
      <Heading>Dry run: nothing is sent yet</Heading>
      {refused && !results?.length ? <Problem error={refused} /> : null}
      <Warnings answer={answer} />
      {results ? <Results results={results} dry /> : null}
      {body ? (
        <div class="confirm">
          <p>
            {gas === undefined ? null : (
              <>
                It costs at most <Sui value={gas} /> of gas.{' '}
              </>
            )}
            {leftOut > 0 ? `${stackCount(leftOut)} would fail and ${leftOut === 1 ? 'is' : 'are'} left out.` : null}
          </p>
          <button type="button" class="primary" disabled={!mayAct.value} onClick={() => runner.confirm(body)}>
            {verb} now
          </button>
          <button type="button" onClick={back}>
            Back
          </button>
        </div>
      ) : (
        <div class="confirm">
          <p>Nothing of this can be done now.</p>
          <button type="button" onClick={runner.checkAgain}>
            Check again
          </button>
          <button type="button" onClick={back}>
            Back
          </button>
        </div>
      )}
    </section>
  );
}

function Done({ runner, answer, refused, back }: { runner: Runner; answer: WriteAnswer; refused: Error | undefined; back: () => void }) {
  const { results } = answer;
  const good = results?.filter(({ status }) => status === 'succeeded').length ?? 0;
  const pending = results?.filter(({ status }) => status === 'pending').length ?? 0;
  const title = results
    ? `${good} of ${results.length} succeeded${pending > 0 ? `, ${pending} still pending` : ''}`
    : refused
      ? 'It failed'
      : 'Done';
  return (
    <section aria-label="Outcome">
      <Heading>{title}</Heading>
      {refused && !results?.length ? <Problem error={refused} /> : null}
      <Warnings answer={answer} />
      {results ? <Results results={results} /> : null}
      {!refused && !results ? (
        <dl class="facts">
          {answer.node_small_id === undefined ? null : (
            <div>
              <dt>Node</dt>
              <dd>{`${answer.node_small_id}`}</dd>
            </div>
          )}
          {answer.node_badge_id ? (
            <div>
              <dt>Badge</dt>
              <dd>
                <Id value={answer.node_badge_id} what="object id" />
              </dd>
            </div>
          ) : null}
          <div>
            <dt>Transaction</dt>
            <dd>
              <Digest value={answer.tx_digest} />
            </dd>
          </div>
        </dl>
      ) : null}
      <div class="confirm">
        {pending > 0 || (refused instanceof Refused && refused.status >= 500) ? (
          <button type="button" class="primary" onClick={runner.askAgain}>
            Ask again
          </button>
        ) : null}
        <button type="button" onClick={back}>
          {refused ? 'Back' : 'Another one'}
        </button>
      </div>
    </section>
  );
}

export function Running({ write, back }: { write: Write; back: () => void }) {
  const runner = useRun(write);
  const { run } = runner;
  switch (run.step) {
    case 'checking':
      return (
        <p role="status" class="working">
          Simulating: {write.verb.toLowerCase()}…
        </p>
      );
    case 'checked':
      return <Checked write={write} runner={runner} answer={run.answer} refused={run.refused} back={back} />;
    case 'sending':
      return <Progress write={write} after={run.after} />;
    case 'done':
      return <Done runner={runner} answer={run.answer} refused={run.refused} back={back} />;
    case 'lost':
      return (
        <section aria-label="Outcome">
          <Heading>The answer was lost</Heading>
          <p class="notice bad">
            {run.error.message} What the daemon received goes on, also after a restart. Asking again with the same key never does it twice.
          </p>
          <div class="confirm">
            <button type="button" class="primary" onClick={runner.askAgain}>
              Ask for the outcome
            </button>
          </div>
          <Progress write={write} after={run.after} />
        </section>
      );
  }
}
