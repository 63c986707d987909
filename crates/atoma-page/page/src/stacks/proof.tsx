// What proves the work of a stack: the root of its messages, the leaves of the nodes, and the commitment on chain.
import { blake2b } from '@noble/hashes/blake2.js';
import type { ClaimedStack, Stack } from '../api/types';
import { Id } from '../ui/id';
import { Mark } from '../ui/status';

const bytes = (hex: string): Uint8Array => Uint8Array.from(hex.replace(/^0x/, '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const hex = (data: Uint8Array): string => `0x${Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
const hash = (...parts: Uint8Array[]): Uint8Array => {
  const hasher = blake2b.create({ dkLen: 32 });
  for (const part of parts) hasher.update(part);
  return hasher.digest();
};

/** The leaf of a place: 0 for the selected node, k + 1 for the k-th node that was drawn. */
const leafOf = (root: string, place: number): Uint8Array => hash(Uint8Array.of(place), bytes(root));

const drawnNodes = (ticket: ClaimedStack | undefined): string[] => ticket?.requested_attestation_nodes.match(/\d+/g) ?? [];

/** Whether the commitment on chain is the one of this record, for any number of nodes that the contract may have asked for. */
function agrees(root: string, drawn: number, commitment: string): boolean {
  const leaves = Array.from({ length: drawn + 1 }, (_, place) => leafOf(root, place));
  const wanted = commitment.toLowerCase();
  for (let missing = 0; missing <= 16; missing += 1) {
    if (hex(hash(...leaves, new Uint8Array(32 * missing))) === wanted) return true;
  }
  // Without a draw the contract may still have wanted leaves of everybody.
  for (let more = drawn + 1; more <= 16; more += 1) {
    leaves.push(leafOf(root, more));
    if (hex(hash(...leaves)) === wanted) return true;
  }
  return false;
}

export function Proof({ stack, ticket }: { stack: Stack | undefined; ticket: ClaimedStack | undefined }) {
  const root = stack?.merkle_root;
  const drawn = drawnNodes(ticket);
  return (
    <section aria-labelledby="proof">
      <h2 id="proof">Proof</h2>
      <dl class="facts">
        <div>
          <dt>Root of the messages</dt>
          <dd>
            <Id value={root} what="root" />
          </dd>
        </div>
        {root && stack ? (
          <div>
            <dt>Leaf of node {`${stack.selected_node_id}`}, selected</dt>
            <dd>
              <Id value={hex(leafOf(root, 0))} what="leaf" />
            </dd>
          </div>
        ) : null}
        {root
          ? drawn.map((node, place) => (
              <div key={`${node} ${place}`}>
                <dt>Leaf of node {node}, drawn</dt>
                <dd>
                  <Id value={hex(leafOf(root, place + 1))} what="leaf" />
                </dd>
              </div>
            ))
          : null}
        <div>
          <dt>Commitment on chain</dt>
          <dd>{ticket ? <Id value={ticket.committed_stack_proof} what="commitment" /> : <span class="quiet">not settled</span>}</dd>
        </div>
        {root && ticket ? (
          <div>
            <dt>Record and commitment</dt>
            <dd>
              {agrees(root, drawn.length, ticket.committed_stack_proof) ? <Mark of="good">agree</Mark> : <Mark of="bad">differ</Mark>}
            </dd>
          </div>
        ) : null}
        {ticket ? (
          <div>
            <dt>Attestations</dt>
            <dd>
              {`${ticket.received_attestations} of ${ticket.required_attestations}`}
              {drawn.length > 0 ? <span class="quiet"> from {drawn.map((node) => `node ${node}`).join(', ')}</span> : null}
            </dd>
          </div>
        ) : null}
      </dl>
    </section>
  );
}
