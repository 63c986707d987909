// Makes personal_messages.json. Run it where @mysten/sui 2.33.1 is installed: node personal_messages.mjs > personal_messages.json
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { Secp256k1Keypair } from '@mysten/sui/keypairs/secp256k1';
import { Secp256r1Keypair } from '@mysten/sui/keypairs/secp256r1';
import { verifyPersonalMessageSignature } from '@mysten/sui/verify';

const about =
  'Personal messages signed by the TypeScript Sui SDK (@mysten/sui 2.33.1) and verified by it. A message is in hex, repeated. Made by personal_messages.mjs.';
const keys = {
  ed25519: Ed25519Keypair.fromSecretKey(new Uint8Array(32).fill(7)),
  secp256k1: Secp256k1Keypair.fromSecretKey(new Uint8Array(32).fill(8)),
  secp256r1: Secp256r1Keypair.fromSecretKey(new Uint8Array(32).fill(9)),
};
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const messages = [
  ['empty', '', 1],
  ['text', hex(Buffer.from('hello atoma')), 1],
  ['UTF-8', hex(Buffer.from('Ünïcödé ✓')), 1],
  ['every byte', hex(Uint8Array.from({ length: 256 }, (_, byte) => byte)), 1],
  ['127 bytes', '01', 127],
  ['128 bytes', '02', 128],
  ['16,384 bytes', '03', 16384],
];

const described = {};
for (const [scheme, key] of Object.entries(keys)) {
  described[scheme] = { suiprivkey: key.getSecretKey(), address: key.toSuiAddress() };
}
const cases = [];
for (const [name, message_hex, times] of messages) {
  const message = Uint8Array.from(Buffer.from(message_hex.repeat(times), 'hex'));
  const signatures = {};
  for (const [scheme, key] of Object.entries(keys)) {
    const { signature } = await key.signPersonalMessage(message);
    await verifyPersonalMessageSignature(message, signature, { address: key.toSuiAddress() });
    signatures[scheme] = signature;
  }
  cases.push({ name, message_hex, times, signatures });
}
console.log(JSON.stringify({ about, keys: described, cases }, null, 1));
