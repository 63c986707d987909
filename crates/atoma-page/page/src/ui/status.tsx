// States as words with a mark in the colour that they have everywhere.

/** The steps of a stack's money, in order. */
export const stages = ['bought', 'served', 'settled', 'attested', 'claimable', 'claimed', 'paid'] as const;

export function Mark({ of, children }: { of: string; children?: string }) {
  return (
    <span class={`mark ${of.replace(/[^a-z_]/g, '')}`}>
      <span class="dot" aria-hidden="true" />
      {children ?? of.replaceAll('_', ' ')}
    </span>
  );
}

export const words = (code: string): string => code.replaceAll('_', ' ');

/** How full something is. `reserved` follows `used`. */
export function Fill({ used, reserved = 0, label }: { used: number; reserved?: number; label: string }) {
  const rest = Math.max(0, Math.min(1000 - used, reserved));
  return (
    <svg class="fill" viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-label={label}>
      <rect class="ground" width="1000" height="100" />
      <rect class="used" width={used} height="100" />
      <rect class="reserved" x={used} width={rest} height="100" />
    </svg>
  );
}
