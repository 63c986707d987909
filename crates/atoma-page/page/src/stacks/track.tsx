// How far a stack is, drawn as a line with a station for each step.
import { stages } from '../ui/status';

const width = 700;
const step = width / stages.length;

export function Track({ stage, waits }: { stage: string; waits: boolean }) {
  const reached = (stages as readonly string[]).indexOf(stage);
  return (
    <figure class="track">
      <svg viewBox={`0 0 ${width} 56`} role="img" aria-label={`Stage: ${stage}. The stages are ${stages.join(', ')}.`}>
        <line class="rail" x1={step / 2} y1="16" x2={width - step / 2} y2="16" />
        {reached > 0 ? <line class="done" x1={step / 2} y1="16" x2={step / 2 + reached * step} y2="16" /> : null}
        {stages.map((name, index) => (
          <g key={name} class={`station ${name} ${index < reached ? 'past' : index === reached ? 'here' : 'ahead'}`}>
            <circle cx={step / 2 + index * step} cy="16" r={index === reached ? 8 : 5} />
            {index === reached && waits ? <circle class="waiting" cx={step / 2 + index * step} cy="16" r="12" /> : null}
            <text x={step / 2 + index * step} y="46" text-anchor="middle">
              {name}
            </text>
          </g>
        ))}
      </svg>
    </figure>
  );
}
