// Reads the daemon's metrics: samples of the Prometheus text format.

export interface Sample {
  labels: Record<string, string>;
  value: string;
}

export class Metrics {
  private readonly samples = new Map<string, Sample[]>();

  constructor(text: string) {
    for (const line of text.split('\n')) {
      const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
      if (name === undefined || value === undefined || !name.startsWith('atoma_') || name.endsWith('_bucket')) continue;
      const list = this.samples.get(name) ?? [];
      list.push({
        labels: Object.fromEntries([...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text])),
        value,
      });
      this.samples.set(name, list);
    }
  }

  /** The sum of a metric's samples with these labels, `undefined` without any. Fractions are cut off. */
  sum(name: string, labels: Record<string, string> = {}): bigint | undefined {
    const matching = (this.samples.get(name) ?? []).filter((sample) =>
      Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    );
    if (matching.length === 0) return undefined;
    return matching.reduce(
      (sum, { value }) =>
        sum + (/^-?\d+/.test(value) && !value.includes('e') ? BigInt(value.split('.')[0] ?? '0') : BigInt(Math.trunc(Number(value)) || 0)),
      0n,
    );
  }
}
