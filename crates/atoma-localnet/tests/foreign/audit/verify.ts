// The whole audit of a ledger.
import { SUI, USDC, rebate, sum, worth } from './money.js';
import type { Chain } from './chain.js';
import { decode } from './decoded.js';
import { Report } from './report.js';
import { State } from './state.js';
import { verifyCheckpoints } from './verify_checkpoints.js';
import { burned, verifyMoney } from './verify_money.js';
import { verifyLive, verifyObjects } from './verify_objects.js';
import { verifySignatures } from './verify_signatures.js';

export async function verify(chain: Chain): Promise<Report> {
  const report = new Report();
  const decoded = decode(chain, report);
  verifyCheckpoints(decoded, report);
  await verifySignatures(decoded, report);
  const state = new State(decoded);
  const supply = (currency: string) => sum([...state.live.values()].map(({ object }) => worth(object, currency)));
  const genesis = { sui: 0n, usdc: 0n };
  let fees = 0n;
  for (const transaction of decoded.transactions) {
    const steps = state.steps(transaction);
    verifyObjects(transaction, state, steps, report);
    verifyMoney(transaction, state, steps, report);
    state.apply(transaction, steps);
    fees += burned(transaction);
    if (transaction.data.kind.Genesis) Object.assign(genesis, { sui: supply(SUI), usdc: supply(USDC) });
  }
  verifyLive(decoded, state, report);
  const stored = sum([...state.live.values()].map(({ object }) => rebate(object)));
  report.same('SUI supply', supply(SUI) + stored + fees, genesis.sui, 'all SUI with storage fees and burned gas');
  report.same('USDC supply', supply(USDC), genesis.usdc, 'all USDC');
  return report;
}
