// A request from its dry run to its outcome.
import { useSignal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { newIdempotencyKey, read, Refused, send } from '../api/client';
import { changed } from '../live/resource';
import type { Write, WriteAnswer } from './writes';

export type Run =
  | { step: 'checking' }
  /** The dry run's answer, or its refusal. */
  | { step: 'checked'; answer: WriteAnswer; refused: Error | undefined }
  | { step: 'sending'; key: string; after: bigint }
  | { step: 'done'; answer: WriteAnswer; refused: Error | undefined; key: string; after: bigint }
  /** The answer was lost. The daemon goes on; the same key asks for the outcome. */
  | { step: 'lost'; error: Error; key: string; after: bigint };

/** What an error's answer has besides the error. */
function answerOf(error: unknown): WriteAnswer | undefined {
  return error instanceof Refused ? ((error.answer ?? {}) as WriteAnswer) : undefined;
}

/** The part of a write that would succeed: of several stacks, those that the dry run did not refuse. */
export function sendable(write: Write, answer: WriteAnswer): Write['body'] | undefined {
  const asked = write.body['stack_small_ids'] as bigint[] | undefined;
  if (!asked || !answer.results) return write.body;
  const good = new Set(answer.results.filter(({ status }) => status !== 'failed').map(({ stack_small_id: id }) => id));
  const ids = asked.filter((id) => good.has(id));
  return ids.length > 0 ? { ...write.body, stack_small_ids: ids } : undefined;
}

async function check(run: Signal<Run>, write: Write): Promise<void> {
  run.value = { step: 'checking' };
  try {
    const { body } = await send<WriteAnswer>('POST', write.path, { body: write.body, query: { dry_run: true } });
    run.value = { step: 'checked', answer: body, refused: undefined };
  } catch (error) {
    run.value = { step: 'checked', answer: answerOf(error) ?? {}, refused: error as Error };
  }
}

async function execute(run: Signal<Run>, write: Write, body: Write['body'], key: string, after: bigint): Promise<void> {
  run.value = { step: 'sending', key, after };
  try {
    const reply = await send<WriteAnswer>('POST', write.path, { body, headers: { 'Idempotency-Key': key } });
    run.value = { step: 'done', answer: reply.body, refused: undefined, key, after };
  } catch (error) {
    const answer = answerOf(error);
    run.value = answer
      ? { step: 'done', answer, refused: error as Error, key, after }
      : { step: 'lost', error: error as Error, key, after };
  }
  changed('all');
}

/** The number of the newest transaction: what comes after it belongs to this request. */
async function newestTransaction(): Promise<bigint> {
  const { body } = await read('/transactions', {}, { limit: 1n });
  return body[0]?.transaction_id ?? 0n;
}

export interface Runner {
  run: Run;
  checkAgain: () => void;
  confirm: (body: Write['body']) => void;
  /** Asks for the outcome of what was sent, or goes on with what is left of it. */
  askAgain: () => void;
}

export function useRun(write: Write): Runner {
  const run = useSignal<Run>({ step: 'checking' });
  const sent = useSignal<Write['body']>(write.body);
  useEffect(() => void check(run, write), [write]);
  const confirm = (body: Write['body']) => {
    sent.value = body;
    const key = newIdempotencyKey();
    void newestTransaction()
      .catch(() => 0n)
      .then((after) => execute(run, write, body, key, after));
  };
  const askAgain = () => {
    const { value } = run;
    if (value.step === 'lost' || value.step === 'done') void execute(run, write, sent.value, value.key, value.after);
  };
  return { run: run.value, checkAgain: () => void check(run, write), confirm, askAgain };
}
