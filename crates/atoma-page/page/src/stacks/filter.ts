// Which stacks the list shows: by the API's own lists where it has them, else within a page.
import { type Query, read, type Reply } from '../api/client';
import type { Stack } from '../api/types';
import { type Resource, useResource } from '../live/resource';
import { route, smallId } from '../shell/route';
import { stageOf } from './stage';

export interface StackFilter {
  stage: string;
  node: string;
  task: string;
  fill: string;
}

export interface StackPage {
  rows: Stack[];
  next: string | undefined;
  /** What the reader must know about the filter. */
  note: string | undefined;
  /** How many stacks the page of the API had. */
  unfiltered: number;
}

function list(filter: StackFilter, query: Query): Promise<Reply<Stack[]>> {
  const node = smallId(filter.node);
  if (filter.fill) {
    return node === undefined
      ? read('/almost_filled_stacks/{fraction}', { fraction: filter.fill }, query)
      : read('/almost_filled_stacks/{node_small_id}/{fraction}', { node_small_id: node, fraction: filter.fill }, query);
  }
  return node === undefined ? read('/stacks', {}, query) : read('/stacks/{node_small_id}', { node_small_id: node }, query);
}

async function fetchPage(filter: StackFilter, cursor: string | undefined): Promise<StackPage> {
  const { body, next } = await list(filter, { limit: 100n, cursor });
  const task = smallId(filter.task);
  const rows = body.filter(
    (stack) => (task === undefined || stack.task_small_id === task) && (filter.stage === '' || stageOf(stack) === filter.stage),
  );
  const isFiltered = rows.length < body.length && next !== undefined;
  const note = isFiltered ? `${rows.length} of the ${body.length} stacks of this page match. Further pages may have more.` : undefined;
  return { rows, next, note, unfiltered: body.length };
}

export function useStacks(filter: StackFilter): Resource<StackPage> {
  const cursor = route.value.query.get('cursor') ?? undefined;
  return useResource(JSON.stringify(['stacks', filter, cursor]), () => fetchPage(filter, cursor), ['applied'], 2000);
}

/** Stages that only stacks in settlement have. They have a list of their own. */
export const isSettledStage = (stage: string): boolean =>
  ['settled', 'attested', 'claimable', 'claimed', 'paid', 'disputed'].includes(stage);
