// Keeps what is equal. A list that is fetched again has new objects; where an object says the same as before, the old one is
// kept, so that its row need not be drawn again.

type Fields = Record<string, unknown>;
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What tells the entries of a list apart: their first field, which in the API is an id. */
function identity(value: unknown): unknown {
  if (!isObject(value)) return value;
  for (const name in value) return value[name];
  return undefined;
}

function sharedList(before: unknown[], after: unknown[]): unknown[] {
  const known = new Map(before.map((entry) => [identity(entry), entry]));
  const list = after.map((entry, index) => {
    const old = identity(before[index]) === identity(entry) ? before[index] : known.get(identity(entry));
    return share(old, entry);
  });
  return list.length === before.length && list.every((entry, index) => entry === before[index]) ? before : list;
}

function sharedObject(before: Fields, after: Fields): Fields {
  let same = Object.keys(before).length === Object.keys(after).length;
  const result: Fields = {};
  for (const name in after) {
    const value = share(before[name], after[name]);
    if (value !== before[name]) same = false;
    result[name] = value;
  }
  return same ? before : result;
}

/** `after`, made of the parts of `before` that are equal. */
export function share<T>(before: unknown, after: T): T {
  if (before === after) return after;
  if (Array.isArray(before) && Array.isArray(after)) return sharedList(before, after) as T;
  if (isObject(before) && isObject(after)) return sharedObject(before, after) as T;
  return after;
}
