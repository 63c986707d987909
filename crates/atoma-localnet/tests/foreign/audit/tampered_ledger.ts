// Tampered checkpoints, epochs and signatures, each with the check that must find it.
import type { Forgery, Found } from './forgery.js';

/** A way to tamper with a ledger. */
export interface Tampering {
  /** The check that finds it. */
  check: string;
  what: string;
  tamper: (forgery: Forgery) => void;
  /** Whether the digests above are made to fit, so that they don't give the tampering away. */
  sealed?: boolean;
}

export const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
export const more = (value: string, by = 1n) => String(BigInt(value) + by);

export const isUser = ({ data }: Found) => data.kind.ProgrammableTransaction;
export const isEpochChange = ({ data }: Found) => data.kind.EndOfEpochTransaction;
const isPrologue = ({ data }: Found) => data.kind.ConsensusCommitPrologue;
const schemes = ['Ed25519', 'secp256k1', 'secp256r1'];
const someCheckpoint = ({ chain }: Forgery) => chain.checkpoints[7]!;

export const LEDGER: Tampering[] = [
  {
    check: 'encoding',
    what: 'a byte too many',
    sealed: true,
    tamper: (forgery) => {
      const { raw } = forgery.find(isUser);
      raw.effects = Uint8Array.from([...raw.effects, 0]);
    },
  },
  ...['sequence numbers', 'previous digest', 'epoch bounds'].map((check) => ({
    check,
    what: 'two swapped checkpoints',
    tamper: (forgery: Forgery) => {
      const { checkpoints } = forgery.chain;
      const index = Number(forgery.chain.epochs[1]!.firstCheckpoint);
      checkpoints.splice(index, 2, checkpoints[index + 1]!, checkpoints[index]!);
    },
  })),
  {
    check: 'summary digest',
    what: 'a summary with one more transaction',
    tamper: (forgery) =>
      forgery.editSummary(
        someCheckpoint(forgery),
        (summary) => (summary.networkTotalTransactions = more(summary.networkTotalTransactions)),
      ),
  },
  {
    check: 'transaction total',
    what: 'one transaction more',
    sealed: true,
    tamper: (forgery) =>
      forgery.editSummary(
        someCheckpoint(forgery),
        (summary) => (summary.networkTotalTransactions = more(summary.networkTotalTransactions)),
      ),
  },
  {
    check: 'timestamps',
    what: 'a time before the last one',
    sealed: true,
    tamper: (forgery) => forgery.editSummary(someCheckpoint(forgery), (summary) => (summary.timestampMs = '1')),
  },
  {
    check: 'gas of the epoch',
    what: 'one MIST more of gas',
    sealed: true,
    tamper: (forgery) =>
      forgery.editSummary(someCheckpoint(forgery), ({ epochRollingGasCostSummary: gas }) => (gas.storageCost = more(gas.storageCost))),
  },
  {
    check: 'end of epoch',
    what: 'an epoch that does not end',
    sealed: true,
    tamper: (forgery) => forgery.editSummary(forgery.find(isEpochChange).checkpoint, (summary) => (summary.endOfEpochData = null)),
  },
  {
    check: 'content digest',
    what: 'other signatures in the contents',
    tamper: (forgery) => forgery.editContents(forgery.find(isUser).checkpoint, ({ signatures }) => signatures.reverse().push([])),
  },
  { check: 'contents', what: 'a transaction left out', tamper: (forgery) => void forgery.find(isUser).checkpoint.transactions.pop() },
  {
    check: 'executed once',
    what: 'a transaction twice',
    tamper: (forgery) => {
      const { checkpoint, raw } = forgery.find(isUser);
      checkpoint.transactions.push(raw);
    },
  },
  { check: 'chain id', what: 'another chain', tamper: ({ chain }) => (chain.chainId = chain.checkpoints[1]!.digest) },
  {
    check: 'look-up by digest',
    what: 'another time',
    tamper: (forgery) => {
      const { raw } = forgery.find(isUser);
      forgery.chain.byDigest.set(raw.digest, { ...raw, timestampMs: raw.timestampMs + 1n });
    },
  },
  { check: 'place', what: 'the next checkpoint', tamper: (forgery) => (forgery.find(isUser).raw.checkpoint += 1n) },
  {
    check: 'transaction digest',
    what: 'a larger budget',
    tamper: (forgery) => forgery.editTransaction(forgery.find(isUser), ({ gasData }) => (gasData.budget = more(gasData.budget))),
  },
  {
    check: 'effects digest',
    what: 'one MIST less of gas',
    tamper: (forgery) =>
      forgery.editEffects(forgery.find(isUser), ({ gasUsed }) => (gasUsed.computationCost = more(gasUsed.computationCost, -1n))),
  },
  {
    check: 'events digest',
    what: 'a flipped byte in an event',
    tamper: (forgery) => {
      const { raw } = forgery.find(({ raw }) => raw.events);
      raw.events = flipped(raw.events!, raw.events!.length - 1);
    },
  },
  {
    check: "effects' transaction",
    what: 'effects of another transaction',
    sealed: true,
    tamper: (forgery) =>
      forgery.editEffects(forgery.find(isUser), (effects) => (effects.transactionDigest = forgery.find(isPrologue).raw.digest)),
  },
  {
    check: 'clock',
    what: 'a clock set ahead',
    tamper: (forgery) =>
      forgery.editTransaction(
        forgery.find(isPrologue),
        ({ kind }) => (kind.ConsensusCommitPrologue!.commitTimestampMs = String(2n ** 60n)),
      ),
  },
  {
    check: 'epoch',
    what: 'effects of the next epoch',
    sealed: true,
    tamper: (forgery) => forgery.editEffects(forgery.find(isUser), (effects) => (effects.executedEpoch = more(effects.executedEpoch))),
  },
  { check: 'gas price', what: 'a higher reference gas price', tamper: ({ chain }) => (chain.epochs[0]!.gasPrice += 1_000_000n) },
  {
    check: 'charges of the epoch',
    what: 'one MIST more',
    tamper: (forgery) =>
      forgery.editTransaction(forgery.find(isEpochChange), ({ kind }) => {
        const { ChangeEpoch } = kind.EndOfEpochTransaction![0]!;
        if (ChangeEpoch) ChangeEpoch.storageCharge = more(ChangeEpoch.storageCharge);
      }),
  },
  {
    check: 'system transactions',
    what: 'a signature of the network',
    tamper: (forgery) => {
      const { raw } = forgery.find(isPrologue);
      raw.signatures = [new Uint8Array(97).fill(1)];
    },
  },
  ...schemes.map((scheme, flag) => ({
    check: 'signature',
    what: `a flipped byte with ${scheme}`,
    tamper: (forgery: Forgery) => {
      const { raw } = forgery.find((found) => isUser(found) && found.raw.signatures[0]?.[0] === flag);
      raw.signatures[0] = flipped(raw.signatures[0]!, 40);
    },
  })),
  {
    check: 'signers',
    what: "without the sponsor's signature",
    tamper: (forgery) => {
      const { raw } = forgery.find(({ raw }) => raw.signatures.length === 2);
      raw.signatures = raw.signatures.slice(0, 1);
    },
  },
];
