// The explorer that digests link to. It is the reader's own choice, kept in this browser.
import { signal } from '@preact/signals';

const key = 'atoma.explorer';

/** Addresses that browsers may open: a template with `{digest}`. */
export function isExplorer(text: string): boolean {
  if (!text.includes('{digest}')) return false;
  try {
    const { protocol } = new URL(text.replace('{digest}', 'x'));
    return protocol === 'https:' || protocol === 'http:';
  } catch {
    return false;
  }
}

function stored(): string {
  try {
    const text = localStorage.getItem(key) ?? '';
    return isExplorer(text) ? text : '';
  } catch {
    return '';
  }
}

/** A template such as `https://suiscan.xyz/testnet/tx/{digest}`, empty for none. */
export const explorer = signal(stored());

export function setExplorer(text: string): void {
  explorer.value = text;
  try {
    if (text) localStorage.setItem(key, text);
    else localStorage.removeItem(key);
  } catch {
    // The choice then holds until the page is closed.
  }
}
