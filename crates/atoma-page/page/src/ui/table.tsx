// Tables. On a phone each row is a card, which the browser no longer takes for a row: hence the roles.
import type { ComponentChildren } from 'preact';
import { Empty } from './loaded';

export interface Column<T> {
  name: string;
  cell: (row: T) => ComponentChildren;
  /** Numbers stand at the right. */
  numeric?: boolean;
  /** From which width on the column is shown. */
  from?: 'medium' | 'wide';
  /** Sorts this page of the list. */
  order?: (a: T, b: T) => number;
}

interface Props<T> {
  /** Says what the table has, to readers of the screen. */
  caption: string;
  columns: Column<T>[];
  rows: T[];
  id: (row: T) => string;
  empty: ComponentChildren;
  selection?: { selected: ReadonlySet<string>; toggle: (ids: string[], selected: boolean) => void; may: (row: T) => boolean };
  sort?: { by: string; descending: boolean; set: (by: string) => void };
}

export function Table<T>({ caption, columns, rows, id, empty, selection, sort }: Props<T>) {
  if (rows.length === 0) return <Empty>{empty}</Empty>;
  const sorted = columns.find(({ name }) => name === sort?.by)?.order;
  const shown = sorted ? [...rows].sort((a, b) => (sort?.descending ? sorted(b, a) : sorted(a, b))) : rows;
  const selectable = selection ? rows.filter(selection.may).map(id) : [];
  const all = selection !== undefined && selectable.length > 0 && selectable.every((row) => selection.selected.has(row));
  return (
    <div class="table" role="region" aria-label={caption} tabIndex={0}>
      <table role="table">
        <caption class="visually-hidden">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {selection ? (
              <th role="columnheader" scope="col" class="select">
                <input
                  type="checkbox"
                  aria-label="Select all of this page"
                  checked={all}
                  disabled={selectable.length === 0}
                  onChange={({ currentTarget }) => selection.toggle(selectable, currentTarget.checked)}
                />
              </th>
            ) : null}
            {columns.map(({ name, numeric, from, order }) => (
              <th
                key={name}
                role="columnheader"
                scope="col"
                class={[numeric && 'numeric', from].filter(Boolean).join(' ') || undefined}
                aria-sort={sort && order && sort.by === name ? (sort.descending ? 'descending' : 'ascending') : undefined}
              >
                {sort && order ? (
                  <button type="button" class="sort" onClick={() => sort.set(name)}>
                    {name}
                    <span aria-hidden="true">{sort.by === name ? (sort.descending ? ' ↓' : ' ↑') : ''}</span>
                  </button>
                ) : (
                  name
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {shown.map((row) => {
            const key = id(row);
            return (
              <tr key={key} role="row" class={selection?.selected.has(key) ? 'selected' : undefined}>
                {selection ? (
                  <td role="cell" class="select">
                    <input
                      type="checkbox"
                      aria-label={`Select ${key}`}
                      checked={selection.selected.has(key)}
                      disabled={!selection.may(row)}
                      onChange={({ currentTarget }) => selection.toggle([key], currentTarget.checked)}
                    />
                  </td>
                ) : null}
                {columns.map(({ name, cell, numeric, from }) => (
                  <td key={name} role="cell" data-label={name} class={[numeric && 'numeric', from].filter(Boolean).join(' ') || undefined}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

export const byNumber =
  <T,>(value: (row: T) => bigint | null | undefined) =>
  (a: T, b: T): number => {
    const [left, right] = [value(a) ?? -1n, value(b) ?? -1n];
    return left < right ? -1 : left > right ? 1 : 0;
  };
