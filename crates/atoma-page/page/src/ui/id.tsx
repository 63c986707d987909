// Ids, shortened, with a button that copies the whole.
import { useState } from 'preact/hooks';
import { explorer } from '../settings/explorer';

interface Props {
  value: string | null | undefined;
  /** What it is, for the button's name, such as `digest`. */
  what: string;
}

const short = (value: string): string =>
  value.length <= 14 ? value : `${value.slice(0, value.startsWith('0x') ? 6 : 5)}…${value.slice(-4)}`;

export function CopyButton({ value, what }: { value: string; what: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(value);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <button
      type="button"
      class="copy"
      title={`Copy the ${what}`}
      aria-label={`Copy ${what} ${value}`}
      onClick={() => void copy().catch(() => setCopied(false))}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {copied ? <path d="M3 8.5l3.2 3.2L13 5" /> : <path d="M5.5 5.5h7v8h-7zM3.5 10.5v-8h7" />}
      </svg>
      <span class="visually-hidden" role="status">
        {copied ? 'copied' : ''}
      </span>
    </button>
  );
}

export function Id({ value, what }: Props) {
  if (!value) return <span class="unknown">–</span>;
  return (
    <span class="id">
      <code title={value}>{short(value)}</code>
      <CopyButton value={value} what={what} />
    </span>
  );
}

/** A transaction's digest, with a link to the explorer if one is set. */
export function Digest({ value }: { value: string | null | undefined }) {
  if (!value) return <span class="unknown">–</span>;
  const address = explorer.value ? explorer.value.replace('{digest}', encodeURIComponent(value)) : undefined;
  return (
    <span class="id">
      {address ? (
        <a href={address} target="_blank" rel="noopener noreferrer" title={`${value}: open in the explorer`}>
          <code>{short(value)}</code>
        </a>
      ) : (
        <code title={value}>{short(value)}</code>
      )}
      <CopyButton value={value} what="digest" />
    </span>
  );
}
