// Light, dark, or as the system says. And how dense tables are.
import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';
export type Density = 'comfortable' | 'dense';

function stored<T extends string>(key: string, values: readonly T[], otherwise: T): T {
  try {
    const value = localStorage.getItem(key) as T | null;
    return value !== null && values.includes(value) ? value : otherwise;
  } catch {
    return otherwise;
  }
}

export const theme = signal<Theme>(stored('atoma.theme', ['system', 'light', 'dark'], 'system'));
export const density = signal<Density>(stored('atoma.density', ['comfortable', 'dense'], 'comfortable'));

const prefersDark = matchMedia('(prefers-color-scheme: dark)');
/** Counts up when the colours change, so that plots are drawn again. */
export const colours = signal(0);

export function applyTheme(): void {
  const apply = () => {
    const dark = theme.peek() === 'dark' || (theme.peek() === 'system' && prefersDark.matches);
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    document.documentElement.dataset.density = density.peek();
    colours.value = colours.peek() + 1;
  };
  prefersDark.addEventListener('change', apply);
  effect(() => {
    for (const [key, value] of [
      ['atoma.theme', theme.value],
      ['atoma.density', density.value],
    ] as const) {
      try {
        localStorage.setItem(key, value);
      } catch {
        // The choice then holds until the page is closed.
      }
    }
    apply();
  });
}
