import { join } from 'node:path';
import { watchRun } from '../contracts/names.js';
import { act, makeTree, replicate, startFailoverEstate, treesOf } from '../test/support/failover-estate.js';
import { labHost } from '../test/support/lab-host.js';
import { makeParents } from '../test/support/lab-parents.js';
import { temporaryFolder } from '../test/support/temp.js';
import { record } from './record.js';
import { guestNames } from './zfs/guests.js';
import { downPair, upPair } from './zfs/pair.js';

/** Records histories of a failover whose source is dead, and of who waits for its return, from real runs on hosts of its own; see record-histories.ts. */

const pair = await upPair(join(temporaryFolder('zfs'), 'pair'));
const [din, grogu] = guestNames.map((name) => labHost(pair, name, `histories-w${process.pid}`, true));
if (!din || !grogu) throw new Error('there are no hosts');
const lab = { din, grogu };
for (const host of [din, grogu]) await host.sh(makeParents(Object.values(host.parents)));
const estate = await startFailoverEstate(lab);
try {
  await makeTree(lab, treesOf(lab));
  await replicate(estate);
  await din.pullPlug();
  const over = await act(estate, 'failover', '--set', 'source=off');
  console.log(over.text);
  await record(estate, 'failOver', 'source-dead', over.run);
  await din.boot();
  await record(estate, 'watchReturned', 'came-back', watchRun(over.run));
} finally {
  await estate.stop();
  await downPair(pair.folder);
}
