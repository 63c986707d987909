// Amounts, exact to the last unit. Nothing here is a floating-point number.

/** Splits an amount into whole units with separators and all decimals. */
export function decimal(value: bigint, decimals: number): { whole: string; fraction: string } {
  const negative = value < 0n;
  const digits = (negative ? -value : value).toString().padStart(decimals + 1, '0');
  const whole = grouped(digits.slice(0, digits.length - decimals));
  return { whole: negative ? `−${whole}` : whole, fraction: decimals === 0 ? '' : digits.slice(-decimals) };
}

/** An integer with a comma between thousands. */
export function grouped(value: bigint | string): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

interface Props {
  value: bigint | null | undefined;
  /** Leaves the unit's name out, where a heading has it. */
  bare?: boolean;
}

function Amount({ value, bare, decimals, unit, exact }: Props & { decimals: number; unit: string; exact: string }) {
  if (value === null || value === undefined) return <Unknown />;
  const { whole, fraction } = decimal(value, decimals);
  return (
    <span class="amount" title={`${grouped(value)} ${exact}`}>
      {whole}
      <span class="fraction">.{fraction}</span>
      {bare ? null : <span class="unit"> {unit}</span>}
    </span>
  );
}

/** An amount in micro-USDC. */
export const Usdc = (props: Props) => <Amount {...props} decimals={6} unit="USDC" exact="micro-USDC" />;
/** An amount in MIST. */
export const Sui = (props: Props) => <Amount {...props} decimals={9} unit="SUI" exact="MIST" />;

/** A count, such as compute units. */
export const Count = ({ value }: { value: bigint | null | undefined }) =>
  value === null || value === undefined ? <Unknown /> : <span class="amount">{grouped(value)}</span>;

export const Unknown = () => (
  <span class="unknown">
    <span aria-hidden="true">–</span>
    <span class="visually-hidden">unknown</span>
  </span>
);

/** Permille of a part in a whole, from 0 to 1000. For bars only, never for amounts. */
export function permille(part: bigint, whole: bigint): number {
  if (whole <= 0n) return 0;
  const value = (part * 1000n) / whole;
  return Number(value > 1000n ? 1000n : value < 0n ? 0n : value);
}
