// The text format of server-sent events.

export interface ServerEvent {
  id: string | undefined;
  kind: string;
  data: string;
}

/** Takes the text as it arrives and gives the events that are complete. */
export class EventText {
  private rest = '';

  push(text: string): ServerEvent[] {
    const blocks = (this.rest + text).replace(/\r\n?/g, '\n').split('\n\n');
    this.rest = blocks.pop() ?? '';
    return blocks.map(eventOf).filter((event) => event !== undefined);
  }
}

function eventOf(block: string): ServerEvent | undefined {
  let id: string | undefined;
  let kind = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const [, name, value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name === 'id') id = value;
    if (name === 'event') kind = value;
    if (name === 'data') data.push(value);
  }
  // A comment: the daemon's heartbeat.
  if (id === undefined && data.length === 0 && kind === 'message') return undefined;
  return { id, kind, data: data.join('\n') };
}
