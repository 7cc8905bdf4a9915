import { readdirSync, rmSync } from 'node:fs';
import type { Document } from 'yaml';
import { corrupt, fill, makeArray, type TestArray } from '../../test/support/array.js';
import { runHoldfast } from '../../test/support/children.js';
import { compareTrees } from '../../test/support/compare.js';
import { canMount } from '../../test/support/disk.js';
import { runIn } from '../../test/support/run-watch.js';
import { temporaryFolder } from '../../test/support/temp.js';
import { waitFor } from '../../test/support/wait.js';
import { onPath } from '../places.js';
import { sh } from '../shell.js';
import type { Place } from './place.js';
import { environment, holdfast } from './processes.js';

/** A SnapRAID array of loop devices: a deletion is asked about and taken back, rot is found, and a dead disk comes back to the byte. */

const job = 'media-nightly';
type Expect = (holds: boolean, words: string) => void;

/** Why there is none on this machine; undefined when there can be. */
export function whyNoArray(): string | undefined {
  if (onPath('snapraid') === undefined) return 'snapraid is not installed';
  return canMount() ? undefined : 'no loop devices can be mounted here';
}

export function startArray(): TestArray {
  const array = makeArray({ disks: 6, parities: 2, megabytes: 40 });
  fill(array, 400, 30_000);
  return array;
}

export function addArrayJob(file: Document, array: TestArray): void {
  const resource = { host: 'nas', snapraid: { config: array.config, marker: '.holdfast', leastFiles: 10 } };
  file.setIn(['resources', 'media'], file.createNode(resource));
  file.setIn(
    ['jobs', job],
    file.createNode({
      kind: 'snapraid-maintenance',
      resources: ['media'],
      thresholds: { removed: { files: 50 } },
      scrub: { percent: 100, olderThan: '0s' },
      objective: { rpo: '26h' },
    }),
  );
}

export async function proveArray(place: Place, array: TestArray, expect: Expect): Promise<void> {
  const kept = temporaryFolder('as it was');
  await holdfast(place, ['run', job, '--follow']);
  for (const disk of Object.keys(array.data))
    await sh('cp', ['--archive', `${array.pathOf(disk)}/.`, `${kept}/${disk}`]);
  // Of modes, owners and the times of folders SnapRAID knows nothing.
  const ignore = ['mode', 'owner', 'mtime'] as const;
  const isAsItWas = (disk: string): boolean =>
    compareTrees(`${kept}/${disk}/Films`, array.pathOf(disk, 'Films'), { ignore }).length === 0;

  await deletion(place, array, expect);
  expect(isAsItWas('d1'), 'the deleted folder is back, byte for byte');

  corrupt(array.pathOf('d3', 'Films/0/film 0.mkv'));
  const damaged = await untilAsked(place, ['run', job, '--only', 'scrub']);
  await holdfast(place, ['approve', damaged]);
  await holdfast(place, ['show', damaged, '--follow'], 6);
  expect(isAsItWas('d3'), 'the rotten file was found, repaired after a yes, and is as it was');

  array.data.d2?.renew();
  await holdfast(place, ['run', job, '--follow'], 5);
  await holdfast(place, ['do', job, 'replace-disk', '--set', 'disk=d2', '--yes']);
  expect(isAsItWas('d2'), 'the dead disk is back on a new one, byte for byte');
  const { code } = array.snapraid('check');
  expect(code === 0, 'the array is whole, says snapraid itself');
}

/** Sixty-seven files are deleted by mistake: the night asks, the answer is no, and they come back. */
async function deletion(place: Place, array: TestArray, expect: Expect): Promise<void> {
  for (const folder of readdirSync(array.pathOf('d1', 'Films')).slice(0, 2))
    rmSync(array.pathOf('d1', `Films/${folder}`), { recursive: true });
  const asking = await untilAsked(place, ['run', job]);
  await holdfast(place, ['deny', asking]);
  await holdfast(place, ['show', asking, '--follow'], 5);
  const { stdout } = array.snapraid('diff');
  expect(/removed/.test(stdout), 'nothing was synced: the array still knows what was deleted');
  await holdfast(place, ['do', job, 'undelete', '--set', 'path=Films', '--yes']);
}

async function untilAsked(place: Place, args: string[]): Promise<string> {
  const run = runIn((await holdfast(place, args)).stdout);
  const asks = async (): Promise<boolean> =>
    (await runHoldfast(['show', run], environment(place))).stdout.includes('an answer:');
  await waitFor(asks, { timeoutMs: 180_000, what: `${run} to ask`, everyMs: 500 });
  return run;
}
