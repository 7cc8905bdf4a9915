import { readdirSync, rmSync } from 'node:fs';
import { corrupt, fill, makeArray } from '../test/support/array.js';
import { fakeMachine, startArrayEstate, startUntilAsked, untilAsked } from '../test/support/array-estate.js';
import { runIn } from '../test/support/run-watch.js';
import { temporaryFolder } from '../test/support/temp.js';
import { record } from './record.js';

/** Records a history of every workflow of SnapRAID from real runs on an array of loop devices; see record-histories.ts. As root. */

const machine = fakeMachine(temporaryFolder('machine'));
machine.set({ 'smbd.service': 'active', jellyfin: 'running' });
const array = makeArray({ disks: 2, parities: 1, megabytes: 16 });
fill(array, 20);
const film = (disk: string, at: number): string => array.pathOf(disk, `Films/${at % 7}/film ${at}.mkv`);
const remove = (disk: string, from: number, count: number): void => {
  for (let at = from; at < from + count; at += 1) rmSync(film(disk, at));
};

const estate = await startArrayEstate(array, (config) => {
  config.jobs.nightly.pause = { units: ['smbd.service'], containers: ['jellyfin'] };
});
const run = async (...args: string[]): Promise<string> =>
  runIn((await estate.holdfast('run', 'nightly', '--follow', ...args)).stdout);
const act = async (...args: string[]): Promise<string> =>
  runIn((await estate.holdfast('do', 'nightly', ...args)).stdout);
const answer = async (asking: string, word: string): Promise<void> => {
  await estate.holdfast(word, asking);
};
try {
  await record(estate, 'maintainSnapraid', 'first-sync', await run());
  await record(estate, 'maintainSnapraid', 'nothing-changed', await run());
  remove('d1', 0, 6);
  const denied = await startUntilAsked(estate);
  await answer(denied, 'deny');
  await record(estate, 'maintainSnapraid', 'denied', denied);
  const asking = await startUntilAsked(estate);
  const first = await untilAsked(estate, asking);
  rmSync(film('d2', 9));
  await answer(asking, 'approve');
  await untilAsked(estate, asking, first);
  await answer(asking, 'approve');
  await record(estate, 'maintainSnapraid', 'asked-again', asking);
  array.data.d2?.unmount();
  await record(estate, 'maintainSnapraid', 'disk-missing', await run());
  array.data.d2?.mount();
  await record(estate, 'scrubSnapraid', 'clean', await run('--only', 'scrub'));
  corrupt(film('d2', 12));
  const damaged = await startUntilAsked(estate, '--only', 'scrub');
  await answer(damaged, 'approve');
  await record(estate, 'scrubSnapraid', 'repaired', damaged);
  corrupt(film('d2', 12));
  const more = await startUntilAsked(estate, '--only', 'scrub');
  const before = await untilAsked(estate, more);
  corrupt(film('d1', 11));
  array.snapraid('--plan', '100', '--older-than', '0', 'scrub');
  await answer(more, 'approve');
  await untilAsked(estate, more, before);
  await answer(more, 'approve');
  await record(estate, 'scrubSnapraid', 'asked-again', more);
  rmSync(film('d1', 10));
  const undelete = ['undelete', '--set', 'path=Films'];
  await record(estate, 'repairSnapraid', 'plan-alone', await act(...undelete, '--plan'));
  await record(estate, 'repairSnapraid', 'undelete', await act(...undelete, '--yes'));
  await record(estate, 'repairSnapraid', 'nothing-missing', await act(...undelete, '--yes'));
  for (const name of readdirSync(array.pathOf('d1'))) rmSync(array.pathOf('d1', name), { recursive: true });
  await record(
    estate,
    'repairSnapraid',
    'replace-disk',
    await act('replace-disk', '--set', 'disk=d1', '--yes'),
  );
} finally {
  await estate.stop();
}
