// Checks of checkpoints, epochs and the digests that hold the ledger together.
import type { ChainTransaction } from './chain.js';
import type { Checkpoint, Decoded, Transaction } from './decoded.js';
import { type GasCosts, digestOf, isEqual } from './layouts.js';
import type { Report } from './report.js';

/** Whether two answers tell the same about a transaction. */
function isSame(a: ChainTransaction, b: ChainTransaction | undefined): boolean {
  if (!b) return false;
  const bytes = (of: ChainTransaction) => [of.transaction, of.effects, of.events ?? Uint8Array.of(), ...of.signatures];
  const rest = ({ digest, checkpoint, timestampMs, balanceChanges }: ChainTransaction) =>
    [digest, checkpoint, timestampMs, ...balanceChanges.map(({ address, coinType, amount }) => `${address} ${coinType} ${amount}`)].join();
  return a === b || (areEqual(bytes(a), bytes(b)) && rest(a) === rest(b));
}

const areEqual = (a: ArrayLike<number>[], b: ArrayLike<number>[]) =>
  a.length === b.length && a.every((bytes, index) => isEqual(bytes, b[index]!));

export function verifyCheckpoints(decoded: Decoded, report: Report) {
  const { chain, checkpoints } = decoded;
  let before: Checkpoint | undefined;
  let total = 0;
  const seen = new Set<string>();
  for (const [index, checkpoint] of checkpoints.entries()) {
    const { raw, summary, contents, transactions } = checkpoint;
    const of = `checkpoint ${index}`;
    report.same('sequence numbers', `${raw.sequence} ${summary.sequenceNumber}`, `${index} ${index}`, of);
    report.same('summary digest', raw.digest, digestOf('CheckpointSummary', raw.summary), `the digest of ${of}`);
    report.same('previous digest', summary.previousDigest, before ? before.raw.digest : null, `the previous digest of ${of}`);
    report.same('content digest', summary.contentDigest, digestOf('CheckpointContents', raw.contents), `the content digest of ${of}`);
    report.same(
      'contents',
      contents.transactions.map(({ transaction }) => transaction),
      transactions.map(({ raw }) => raw.digest),
      `the list of ${of}`,
    );
    const isSigned =
      contents.signatures.length === transactions.length &&
      transactions.every(({ raw }, index) => areEqual(raw.signatures, contents.signatures[index]!));
    report.expect('contents', isSigned, () => `${of} has other signatures than its transactions`);
    total += transactions.length;
    report.same('transaction total', summary.networkTotalTransactions, total, `the total of ${of}`);
    const time = BigInt(summary.timestampMs);
    report.expect('timestamps', !before || time >= BigInt(before.summary.timestampMs), () => `${of} is older than the one before`);
    for (const [index, transaction] of transactions.entries()) {
      verifyDigests(transaction, contents.transactions[index]?.effects, report);
      report.same(
        'place',
        `${transaction.raw.checkpoint} ${transaction.raw.timestampMs}`,
        `${raw.sequence} ${time}`,
        `the place of ${transaction.raw.digest}`,
      );
      report.expect('executed once', !seen.has(transaction.raw.digest), () => `${transaction.raw.digest} was executed twice`);
      seen.add(transaction.raw.digest);
      const isFound = isSame(transaction.raw, chain.byDigest.get(transaction.raw.digest));
      report.expect('look-up by digest', isFound, () => `${transaction.raw.digest} is another when it is asked for by its digest`);
    }
    before = checkpoint;
  }
  report.same('chain id', chain.chainId, checkpoints[0]?.raw.digest, 'the chain id');
  verifyEpochs(decoded, report);
}

function verifyDigests({ raw, data, effects }: Transaction, listed: string | undefined, report: Report) {
  const of = raw.digest;
  report.same('transaction digest', raw.digest, digestOf('TransactionData', raw.transaction), `the digest of ${of}`);
  report.same('effects digest', listed, digestOf('TransactionEffects', raw.effects), `the effects digest of ${of}`);
  report.same(
    'events digest',
    effects.eventsDigest,
    raw.events ? digestOf('TransactionEvents', raw.events) : null,
    `the events digest of ${of}`,
  );
  report.same("effects' transaction", effects.transactionDigest, raw.digest, `the transaction in the effects of ${of}`);
  const time = data.kind.ConsensusCommitPrologue?.commitTimestampMs;
  report.expect('clock', time === undefined || BigInt(time) <= raw.timestampMs, () => `${of} sets the clock ahead of its checkpoint`);
}

const GAS_COSTS = ['computationCost', 'storageCost', 'storageRebate', 'nonRefundableStorageFee'] as const;
const text = (gas: GasCosts | bigint[]) => (Array.isArray(gas) ? gas : GAS_COSTS.map((cost) => gas[cost])).join(' ');

function verifyEpochs({ chain, checkpoints }: Decoded, report: Report) {
  let epoch = 0n;
  let rolling = [0n, 0n, 0n, 0n];
  let price = -1n;
  for (const { raw, summary, transactions } of checkpoints) {
    const of = `checkpoint ${raw.sequence}`;
    report.same('epoch', summary.epoch, epoch, `the epoch of ${of}`);
    const told = chain.epochs[Number(epoch)];
    if (price < 0n) {
      report.same('epoch bounds', told?.firstCheckpoint, raw.sequence, `the first checkpoint of epoch ${epoch}`);
      price = told?.gasPrice ?? 0n;
    }
    for (const { raw, data, effects, isSystem } of transactions) {
      report.same('epoch', effects.executedEpoch, epoch, `the epoch of ${raw.digest}`);
      report.expect(
        'gas price',
        isSystem || BigInt(data.gasData.price) >= price,
        () => `${raw.digest} pays less than epoch ${epoch}'s reference gas price`,
      );
      rolling = GAS_COSTS.map((cost, index) => rolling[index]! + BigInt(effects.gasUsed[cost]));
    }
    report.same('gas of the epoch', text(summary.epochRollingGasCostSummary), text(rolling), `the gas of the epoch at ${of}`);
    const kind = transactions.at(-1)?.data.kind;
    const change = kind?.EndOfEpochTransaction?.find(({ ChangeEpoch }) => ChangeEpoch)?.ChangeEpoch;
    report.same('end of epoch', summary.endOfEpochData !== null, change !== undefined, `whether ${of} ends its epoch`);
    if (!change) continue;
    report.same('end of epoch', change.epoch, epoch + 1n, `the epoch after ${of}`);
    report.same(
      'end of epoch',
      summary.endOfEpochData?.nextEpochProtocolVersion,
      change.protocolVersion,
      `the protocol version after ${of}`,
    );
    const charged = [change.computationCharge, change.storageCharge, change.storageRebate, change.nonRefundableStorageFee];
    report.same('charges of the epoch', charged.join(' '), text(rolling), `what the end of epoch ${epoch} charges`);
    const next = chain.epochs[Number(epoch) + 1];
    report.same(
      'epoch bounds',
      `${told?.lastCheckpoint} ${told?.endMs}`,
      `${raw.sequence} ${summary.timestampMs}`,
      `the end of epoch ${epoch}`,
    );
    report.same('epoch bounds', next?.startMs, change.epochStartTimestampMs, `the start of epoch ${epoch + 1n}`);
    epoch += 1n;
    rolling = [0n, 0n, 0n, 0n];
    price = -1n;
  }
}
