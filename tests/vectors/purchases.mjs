// Makes purchases.json. Run it where @mysten/sui 2.33.1 is installed: node purchases.mjs > purchases.json
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { Inputs, Transaction } from '@mysten/sui/transactions';
import { toBase58, toBase64 } from '@mysten/sui/utils';

const key = Ed25519Keypair.fromSecretKey(new Uint8Array(32).fill(7));
const reference = (id, version, byte) => ({
  objectId: '0x' + id.padStart(64, '0'),
  version: String(version),
  digest: toBase58(new Uint8Array(32).fill(byte)),
});
const shared = (id, initialSharedVersion, mutable) =>
  Inputs.SharedObjectRef({ objectId: '0x' + id.padStart(64, '0'), initialSharedVersion, mutable });

const about =
  'Purchases of stacks built and signed by the TypeScript Sui SDK (@mysten/sui 2.33.1). References are id, version and the byte that the digest repeats. Made by purchases.mjs.';
const package_id = '0x' + 'a70a0001'.padStart(64, '0');
const usdc = '0x' + 'cafe'.padStart(64, '0') + '::usdc::USDC';
const cases = [];
for (const [name, coins, type_argument] of [
  ['one coin', [['c0140001', 349223402, 19]], null],
  ['three coins', [['c0140001', 349223402, 19], ['c0140002', 7, 20], ['c0140003', 8, 21]], null],
  ['a generic function', [['c0140001', 349223402, 19]], usdc],
]) {
  const tx = new Transaction();
  const objects = coins.map((coin) => tx.object(Inputs.ObjectRef(reference(...coin))));
  if (objects.length > 1) tx.mergeCoins(objects[0], objects.slice(1));
  const [exact] = tx.splitCoins(objects[0], [tx.pure.u64(1212000n)]);
  tx.moveCall({
    target: `${package_id}::db::acquire_new_stack_entry`,
    typeArguments: type_argument ? [type_argument] : [],
    arguments: [
      tx.object(shared('a70adb01', 349223371, true)),
      exact,
      tx.pure.u64(7n),
      tx.pure.u64(1000000n),
      tx.pure.u64(18446744073709551615n),
      tx.object(shared('8', 10, false)),
    ],
  });
  tx.mergeCoins(objects[0], [exact]);
  tx.setSender(key.toSuiAddress());
  tx.setGasPrice(1000);
  tx.setGasBudget(50000000);
  tx.setGasPayment([reference('9a5c0140', 349223401, 18)]);
  tx.setExpiration({ Epoch: 812 });
  const bytes = await tx.build();
  const { signature } = await key.signTransaction(bytes);
  cases.push({ name, coins, type_argument, tx_bytes: toBase64(bytes), digest: await tx.getDigest(), signature });
}
console.log(JSON.stringify({ about, suiprivkey: key.getSecretKey(), cases }, null, 1));
