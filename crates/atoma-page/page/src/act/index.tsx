// What you can do, each with a page of its own.
import { mayAct } from '../session/session';
import { ReadOnly } from './read_only';
import { singles } from './single';
import { stackActs } from './writes';

export function Act() {
  const entries = [
    ...Object.entries(stackActs).map(([path, { name, about }]) => ({ path, name: `${name} stacks`, about })),
    ...Object.entries(singles).map(([path, { name, about }]) => ({ path, name, about })),
  ];
  return (
    <>
      <h1 tabIndex={-1}>Act</h1>
      <p class="lead">
        Each of these begins with a dry run: what it will do, what it costs, what would fail. Nothing is sent before you confirm.
      </p>
      <ReadOnly />
      <ul class="acts" aria-disabled={!mayAct.value}>
        {entries.map(({ path, name, about }) => (
          <li key={path}>
            <a href={`#/act/${path}`}>{name}</a>
            <p>{about}</p>
          </li>
        ))}
      </ul>
    </>
  );
}
