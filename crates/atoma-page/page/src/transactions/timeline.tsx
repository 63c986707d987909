// The attempts of a transaction on one line of time.
import type { TransactionDetail } from '../api/types';
import { span } from '../ui/time';

const left = 92;
const width = 760;
const rowHeight = 30;

export function Timeline({ transaction, until }: { transaction: TransactionDetail; until: number }) {
  const time = (text: string | null | undefined) => (text ? Date.parse(text) : undefined);
  const from = time(transaction.created_at) ?? until;
  const ended = transaction.status === 'succeeded' || transaction.status === 'failed';
  const to = Math.max(ended ? (time(transaction.updated_at) ?? until) : until, from + 1);
  const place = (at: number) => left + ((Math.min(Math.max(at, from), to) - from) / (to - from)) * (width - left - 16);
  const height = (transaction.attempts.length + 1) * rowHeight + 26;
  const first = time(transaction.attempts[0]?.created_at) ?? to;
  const label = `${transaction.attempts.length} attempts in ${span(to - from)}: ${transaction.attempts.map(({ status }) => status).join(', ')}`;
  return (
    <figure class="timeline">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
        <g class="row queued">
          <text x="0" y="20">
            queued
          </text>
          <rect x={left} y="8" width={Math.max(2, place(first) - left)} height="14" rx="2" />
        </g>
        {transaction.attempts.map((attempt, index) => {
          const start = time(attempt.created_at) ?? from;
          const end = time(attempt.concluded_at) ?? to;
          const y = (index + 1) * rowHeight;
          return (
            <g key={attempt.tx_digest} class={`row ${attempt.status}`}>
              <text x="0" y={y + 20}>
                attempt {index + 1}
              </text>
              <line class="rail" x1={left} x2={width - 16} y1={y + 15} y2={y + 15} />
              <rect x={place(start)} y={y + 8} width={Math.max(3, place(end) - place(start))} height="14" rx="2" />
              <title>{`${attempt.status}: ${span(end - start)}`}</title>
            </g>
          );
        })}
        <g class="scale">
          <line x1={left} x2={width - 16} y1={height - 20} y2={height - 20} />
          <text x={left} y={height - 5}>
            0
          </text>
          <text x={width - 16} y={height - 5} text-anchor="end">
            {to - from < 10_000 ? `${to - from} ms` : span(to - from)}
          </text>
        </g>
      </svg>
    </figure>
  );
}
