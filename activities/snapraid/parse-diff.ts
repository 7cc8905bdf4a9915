import type { ChangeKind } from '../../contracts/snapraid.js';
import { readTags, Summary, type Tag, unreadable } from './parse.js';

/** What `snapraid diff` says. Pure. */

export interface Change {
  kind: ChangeKind;
  disk: string;
  path: string;
  /** Where it was: of what was moved, copied or relocated. */
  from?: string;
  /** Sizes and times before and after, as snapraid writes them: of what was updated. */
  how?: string;
  /** It had bytes, and has none now. */
  emptied?: true;
}

export interface ArrayDiff {
  changes: Change[];
  counts: Record<ChangeKind | 'equal', number>;
  /** Parity of an earlier sync is not complete, or there are changes. */
  syncNeeded: boolean;
}

const kindOf: Record<string, ChangeKind> = {
  add: 'added',
  remove: 'removed',
  update: 'updated',
  move: 'moved',
  copy: 'copied',
  restore: 'restored',
  relocate: 'relocated',
};

const kinds: readonly ChangeKind[] = Object.values(kindOf);

/** Exit 2 is "sync needed"; `lines` may lack those of files that are as they were. */
export function parseDiff(lines: readonly string[], exitCode: number): ArrayDiff {
  const summary = new Summary();
  const changes: Change[] = [];
  const reader = readTags('diff', (tag) => {
    if (tag.name === 'summary') summary.add(tag);
    if (tag.name === 'scan') changes.push(...changeOf(tag));
  });
  for (const line of lines) reader.line(line);
  reader.end();
  const counts = { equal: summary.count('equal'), ...countsOf(summary, changes) };
  const exit = summary.exit(['equal', 'diff', 'unsynced']);
  if ((exit === 'diff') !== changes.length > 0)
    throw unreadable(`"exit:${exit}" with ${changes.length} changes`);
  const syncNeeded = exitCode === 2;
  if (exit !== 'equal' && !syncNeeded) throw unreadable(`"exit:${exit}" and exit code ${exitCode}`);
  return { changes, counts, syncNeeded };
}

/** Every kind is counted twice, by the tool and by us: a line that was lost, or slipped in, is noticed. */
function countsOf(summary: Summary, changes: readonly Change[]): Record<ChangeKind, number> {
  const entries = kinds.map((kind) => {
    const told = kind === 'relocated' ? summary.countOr(kind, 0) : summary.count(kind);
    const read = changes.filter((change) => change.kind === kind).length;
    if (told !== read) throw unreadable(`${told} files ${kind}, but ${read} names of them`);
    return [kind, told] as const;
  });
  return Object.fromEntries(entries) as Record<ChangeKind, number>;
}

function changeOf({ values: [verb = '', ...rest] }: Tag): Change[] {
  if (verb === 'equal') return [];
  const kind = Object.hasOwn(kindOf, verb) ? kindOf[verb] : undefined;
  if (kind === undefined) throw unreadable(`a change of the kind "${verb}"`);
  const [first = '', path = '', second, third] = rest;
  if (first === '' || path === '') throw unreadable(`"scan:${verb}" without a name`);
  if (kind === 'updated') return [updated(first, path, second ?? '')];
  if (second === undefined) return [{ kind, disk: first, path }];
  // A move stays on its disk; a copy names both disks.
  const [disk, to] = third === undefined ? [first, second] : [second, third];
  return [{ kind, disk, path: to, from: third === undefined ? path : `${first}:${path}` }];
}

/** ` 42112 1795811305.688263091 -> 0 1795811324.495483827`: size and time, before and after. */
function updated(disk: string, path: string, how: string): Change {
  const [, before, after] = /^\s*(\d+) \S+ -> (\d+) \S+\s*$/.exec(how) ?? [];
  const emptied = before !== undefined && before !== '0' && after === '0';
  return { kind: 'updated', disk, path, how: how.trim(), ...(emptied && { emptied: true }) };
}
