// What the audit checked, and what it found wrong.

export class Report {
  /** How often each check was made. */
  readonly made = new Map<string, number>();
  readonly faults: { check: string; what: string }[] = [];

  /** Makes a check. `what` says what would be wrong. */
  expect(check: string, holds: boolean, what: () => string) {
    this.made.set(check, (this.made.get(check) ?? 0) + 1);
    if (!holds) this.faults.push({ check, what: what() });
  }

  same(check: string, found: unknown, expected: unknown, of: string) {
    this.expect(check, String(found) === String(expected), () => `${of} is ${String(found)} instead of ${String(expected)}`);
  }
}
