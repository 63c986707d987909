/** The answer of `GET /session`. */
export interface Session {
  /** Whether the API asks for tokens at all. */
  tokens_required: boolean;
  /** The token's name, `null` without tokens. */
  name: string | null;
  /** What it allows, `null` if nobody is signed in. */
  scope: 'read' | 'operate' | null;
  expires_at: string | null;
}
