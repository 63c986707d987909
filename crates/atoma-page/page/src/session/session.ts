// Who is signed in. The daemon keeps the token's session under a cookie that scripts can't read; the page forgets the token.
import { computed, signal } from '@preact/signals';
import { onUnauthorized, Refused, send, Unreachable } from '../api/client';
import { forget } from '../live/resource';
import { followEvents, unfollow } from '../live/stream';
import type { Session } from './types';

export type SessionState =
  | { state: 'asking' }
  | { state: 'unreachable' }
  /** `reason` says why a session ended. */
  | { state: 'signed_out'; reason: string | undefined }
  | { state: 'signed_in'; session: Session };

export const session = signal<SessionState>({ state: 'asking' });
/** Whether the page may send writes. */
export const mayAct = computed(() => session.value.state === 'signed_in' && session.value.session.scope === 'operate');

function signedIn(answer: Session): void {
  session.value = { state: 'signed_in', session: answer };
  void followEvents(expired);
}

function end(reason: string | undefined): void {
  unfollow();
  forget();
  session.value = { state: 'signed_out', reason };
}

function expired(): void {
  if (session.peek().state === 'signed_in') end('Your session has ended: it expired, or its token was removed. Sign in again.');
}
onUnauthorized(expired);

/** Asks the daemon who is signed in. */
export async function resume(): Promise<void> {
  try {
    const { body } = await send<Session>('GET', '/session');
    if (body.scope) signedIn(body);
    else end(undefined);
  } catch (error) {
    if (error instanceof Unreachable) session.value = { state: 'unreachable' };
    else if (error instanceof Refused && error.status === 401) end(undefined);
    else if (error instanceof Refused && error.status !== 404) end(error.message);
    else end('This daemon does not offer sessions.');
  }
}

/** Asks for a token, for example where reads are open and writes are not. */
export const askForToken = (): void => end(undefined);

/** Signs in with a token. Fails with the daemon's error. */
export async function signIn(token: string): Promise<void> {
  const { body } = await send<Session>('POST', '/session', { body: { token } });
  signedIn(body);
}

export async function signOut(): Promise<void> {
  try {
    await send('DELETE', '/session');
    end(undefined);
  } catch (error) {
    if (error instanceof Refused && error.status === 401) end(undefined);
    else throw error;
  }
}
