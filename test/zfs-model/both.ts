import type { Ends, Side, StreamEnd } from '../../activities/zfs/replicate-ends.js';
import type { Stream } from '../../activities/zfs/replicate-streams.js';
import type { Listing } from '../../activities/zfs/types.js';

/** One script for the model and for real pools: whatever does not come out the same on both is a mistake of the model. */

export interface World2 {
  ends: Ends;
  /** The same, but every stream breaks off in its middle. */
  cutting: Ends;
  /** What is done by others, behind our back; a refusal is an answer. */
  write(side: Side, dataset: string): Promise<boolean>;
  rollback(side: Side, snapshot: string): Promise<boolean>;
  snapshot(side: Side, snapshot: string): Promise<boolean>;
  destroy(side: Side, snapshot: string): Promise<boolean>;
  clone(side: Side, snapshot: string, to: string): Promise<boolean>;
  promote(side: Side, dataset: string): Promise<boolean>;
}

export type Step =
  | { do: 'write' | 'snapshot' | 'destroy' | 'rollback' | 'promote'; side: Side; name: string }
  | { do: 'clone'; side: Side; name: string; to: string }
  | { do: 'change'; side: Side; words: string[] }
  | { do: 'send'; target: string; words: string[]; options?: string[]; cut?: boolean }
  /** With the token that the target shows. */
  | { do: 'resume'; target: string };

/** What one step came to, in words that both worlds share. */
export async function play(world: World2, step: Step): Promise<string> {
  const said = (ok: boolean | undefined): string => (ok ? 'done' : 'refused');
  switch (step.do) {
    case 'write':
      return said(await world.write(step.side, step.name));
    case 'snapshot':
      return said(await world.snapshot(step.side, step.name));
    case 'destroy':
      return said(await world.destroy(step.side, step.name));
    case 'rollback':
      return said(await world.rollback(step.side, step.name));
    case 'clone':
      return said(await world.clone(step.side, step.name, step.to));
    case 'promote':
      return said(await world.promote(step.side, step.name));
    case 'change': {
      const [done] = await world.ends.change(step.side, [step.words]);
      return said(done?.ok);
    }
    case 'send':
      return sent(await (step.cut ? world.cutting : world.ends).transfer([streamOf(step)]));
    case 'resume': {
      const token = (await world.ends.list('target')).get(step.target)?.resumeToken;
      if (token === undefined) return 'nothing to resume';
      return sent(await world.ends.transfer([streamOf({ target: step.target, words: ['-t', token] })]));
    }
  }
}

const streamOf = ({
  target,
  words,
  options = [],
}: {
  target: string;
  words: string[];
  options?: string[];
}): Stream => ({
  key: `key-${target}`,
  // A token remembers the snapshot by its name.
  source: words.at(-1)?.split('@')[0] ?? '',
  target,
  send: ['send', '-vP', ...words],
  receive: ['receive', '-s', '-u', ...options, target],
  toGuid: '',
  bytes: 0,
});

/** Whether it arrived is the receiver's to say: a sender may have put all of it into the pipe and never know. */
const sent = ([end]: StreamEnd[]): string => (end?.received?.ok && end.sent?.ok ? 'arrived' : 'refused');

/** Both trees without what only real pools have: guids by their order of appearance, holds as a number, a token as yes or no. */
export function picture(source: Listing, target: Listing): string[] {
  const known = new Map<string, number>();
  const idOf = (guid: string): number => {
    const id = known.get(guid) ?? known.size + 1;
    known.set(guid, id);
    return id;
  };
  return [...source.values(), ...target.values()].flatMap((dataset) => [
    [
      `${dataset.name} ${dataset.type}`,
      ...(dataset.origin === undefined ? [] : [`of ${dataset.origin}`]),
      ...(dataset.resumeToken === undefined ? [] : ['token']),
    ].join(' '),
    ...dataset.snapshots.map(
      ({ name, guid, holds }) => `${dataset.name}@${name} ${idOf(guid)} held ${holds}`,
    ),
    ...dataset.bookmarks.map(({ name, guid }) => `${dataset.name}#${name} ${idOf(guid)}`).sort(),
  ]);
}
