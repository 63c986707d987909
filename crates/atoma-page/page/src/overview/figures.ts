// The numbers of the overview.

export interface Earned {
  /** micro-USDC */
  received: bigint;
  /** MIST */
  gas: bigint;
}

export interface Part {
  stage: string;
  stacks: bigint;
  /** micro-USDC, `undefined` if it is not known */
  amount: bigint | undefined;
}

/** What was earned, by the books. */
export interface Sums {
  today: Earned;
  epoch: Earned;
  month: Earned;
  /** All that was ever received, and of how many stacks. */
  paid: Part;
}

/** How the parts of the daemon are. `undefined` is what it doesn't know. */
export interface Parts {
  /** Where the money of the stacks is. */
  pipeline: Part[];
  chain: { checkpoint: bigint | undefined; lagSeconds: bigint | undefined; isUp: boolean | undefined };
  gas: { balance: bigint | undefined; spentDay: bigint | undefined };
  database: { isReadable: boolean | undefined; size: bigint | undefined; diskFree: bigint | undefined };
  transactions: { queued: bigint; submitted: bigint };
}

/** Whole days that the gas lasts if it goes on as in the last day. */
export function daysLeft({ balance, spentDay }: Parts['gas']): bigint | undefined {
  return balance === undefined || !spentDay ? undefined : balance / spentDay;
}

/** Bytes in a unit that is easy to read, rounded down to one decimal. */
export function bytes(value: bigint): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let tenths = value * 10n;
  while (tenths >= 10_000n && unit < units.length - 1) {
    tenths /= 1000n;
    unit += 1;
  }
  return unit === 0 ? `${value} B` : `${tenths / 10n}.${tenths % 10n} ${units[unit]}`;
}
