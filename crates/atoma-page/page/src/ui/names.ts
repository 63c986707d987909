// Tasks and nodes by id, for lists that only have the ids.
import { read } from '../api/client';
import type { Node, Task } from '../api/types';
import { type Resource, useResource } from '../live/resource';

export const useTasks = (): Resource<Task[]> => useResource('tasks', async () => (await read('/tasks')).body, ['applied'], 10_000);
export const useNodes = (): Resource<Node[]> => useResource('nodes', async () => (await read('/nodes')).body, ['applied'], 10_000);

/** A task's model, or its number. */
export function taskName(tasks: Task[] | undefined, id: bigint | null | undefined): string {
  if (id === null || id === undefined) return '–';
  const model = tasks?.find(({ task_small_id }) => task_small_id === id)?.model_name;
  return model ? model : `task ${id}`;
}

/** The ids that are there, each once. */
export const idsOf = (rows: readonly { stack_small_id?: bigint | null }[]): bigint[] => [
  ...new Set(rows.flatMap(({ stack_small_id: id }) => (id === null || id === undefined ? [] : [id]))),
];
