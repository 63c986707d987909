// What can be done with the stacks that are selected.
import { useState } from 'preact/hooks';
import { link } from '../shell/route';

export function useSelection() {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const toggle = (ids: string[], on: boolean) =>
    setSelected((before) => {
      const next = new Set(before);
      for (const id of ids) {
        if (on) next.add(id);
        else next.delete(id);
      }
      return next;
    });
  return { selected, toggle, clear: () => setSelected(new Set()) };
}

export function ActOnSelection({ selected, clear }: { selected: ReadonlySet<string>; clear: () => void }) {
  const stacks = [...selected].join(',');
  return (
    <div class="selection" role="status">
      <span>{selected.size === 1 ? '1 stack selected' : `${selected.size} stacks selected`}</span>
      <a class="button" href={link('/act/settle', { stacks })}>
        Settle…
      </a>
      <a class="button" href={link('/act/attest', { stacks })}>
        Attest…
      </a>
      <a class="button" href={link('/act/claim', { stacks })}>
        Claim…
      </a>
      <button type="button" class="plain" onClick={clear}>
        Clear
      </button>
    </div>
  );
}
