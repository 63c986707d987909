// Tables. On a phone each row is a card, which the browser no longer takes for a row: hence the roles.
import { Component, type ComponentChildren } from 'preact';
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
  /** The same array at each drawing, or all rows are drawn again. */
  columns: Column<T>[];
  rows: T[];
  id: (row: T) => string;
  empty: ComponentChildren;
  selection?: { selected: ReadonlySet<string>; toggle: (ids: string[], selected: boolean) => void; may: (row: T) => boolean };
  sort?: { by: string; descending: boolean; set: (by: string) => void };
}

interface RowProps {
  id: string;
  row: unknown;
  columns: Column<unknown>[];
  /** `undefined` in tables without a selection. */
  selected: boolean | undefined;
  selectable: boolean | undefined;
  toggle: ((ids: string[], selected: boolean) => void) | undefined;
}

function Row({ id, row, columns, selected, selectable, toggle }: RowProps) {
  return (
    <tr role="row" class={selected ? 'selected' : undefined}>
      {selected === undefined ? null : (
        <td role="cell" class="select">
          <input
            type="checkbox"
            aria-label={`Select ${id}`}
            checked={selected}
            disabled={!selectable}
            onChange={({ currentTarget }) => toggle?.([id], currentTarget.checked)}
          />
        </td>
      )}
      {columns.map(({ name, cell, numeric, from }) => (
        <td key={name} role="cell" data-label={name} class={[numeric && 'numeric', from].filter(Boolean).join(' ') || undefined}>
          {cell(row)}
        </td>
      ))}
    </tr>
  );
}

/** Draws a row again only if what it shows has changed. */
class KeptRow extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    const { row, columns, selected, selectable } = this.props;
    return next.row !== row || next.columns !== columns || next.selected !== selected || next.selectable !== selectable;
  }

  override render(props: RowProps) {
    return <Row {...props} />;
  }
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
              <KeptRow
                key={key}
                id={key}
                row={row}
                columns={columns as Column<unknown>[]}
                selected={selection?.selected.has(key)}
                selectable={selection?.may(row)}
                toggle={selection?.toggle}
              />
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
