// Checks of signatures and signers.
import { normalizeSuiAddress, toBase64 } from '@mysten/sui/utils';
import { verifyTransactionSignature } from '@mysten/sui/verify';
import type { Decoded } from './decoded.js';
import type { Report } from './report.js';

/** What the network puts in the place of a signature on its own transactions: an Ed25519 signature and key of zeros. */
const UNSIGNED = new Uint8Array(97);
const ZERO = normalizeSuiAddress('0x0');

const known = new WeakMap<Uint8Array, { transaction: Uint8Array; signer: string | undefined }>();

/** Who signed the transaction, or nobody if the signature is not valid. It is worked out once for the same bytes. */
async function signerOf(transaction: Uint8Array, signature: Uint8Array): Promise<string | undefined> {
  const before = known.get(signature);
  if (before?.transaction === transaction) return before.signer;
  const signer = await verifyTransactionSignature(transaction, toBase64(signature)).then(
    (key) => key.toSuiAddress(),
    () => undefined,
  );
  known.set(signature, { transaction, signer });
  return signer;
}

export async function verifySignatures({ transactions }: Decoded, report: Report) {
  for (const { raw, data, isSystem } of transactions) {
    if (isSystem) {
      report.same('system transactions', raw.signatures.map(toBase64), [toBase64(UNSIGNED)], `the signature of ${raw.digest}`);
      const { objectId = '', version = '' } = data.gasData.payment[0] ?? {};
      report.same('system transactions', `${data.sender} ${objectId} ${version}`, `${ZERO} ${ZERO} 0`, `who pays for ${raw.digest}`);
      continue;
    }
    const signers = [];
    for (const signature of raw.signatures) {
      const signer = await signerOf(raw.transaction, signature);
      report.expect('signature', signer !== undefined, () => `${raw.digest} has a signature that is not valid`);
      signers.push(signer);
    }
    const { sender, gasData } = data;
    const expected = sender === gasData.owner ? [sender] : [sender, gasData.owner];
    report.same('signers', signers, expected, `who signed ${raw.digest}`);
  }
}
