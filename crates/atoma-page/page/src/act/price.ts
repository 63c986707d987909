/** Micro-USDC of a text such as `0.85`, `undefined` if it is none or has more than six decimals. */
export function parseUsdc(text: string): bigint | undefined {
  const [, whole, fraction = ''] = /^(\d{1,14})(?:\.(\d{1,6}))?$/.exec(text.trim()) ?? [];
  if (whole === undefined) return undefined;
  const micro = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0') || '0');
  return micro < 2n ** 64n ? micro : undefined;
}
