import {
  act,
  jobName,
  makeTree,
  replicate,
  startFailoverEstate,
  treesOf,
} from '../test/support/failover-estate.js';
import { labHost } from '../test/support/lab-host.js';
import { makeParents, removeParents } from '../test/support/lab-parents.js';
import { runIn } from '../test/support/run-watch.js';
import { record } from './record.js';
import { sharedPair, upPair } from './zfs/pair.js';

/** Records histories of a failover and the way back from real runs on the lab's pools; see record-histories.ts. */

const pair = await upPair(sharedPair);
const hosts = ['din', 'grogu'] as const;
const [din, grogu] = hosts.map((name) => labHost(pair, name, `histories-f${process.pid}`, false));
if (!din || !grogu) throw new Error('there are no hosts');
const lab = { din, grogu };
const all = [din, grogu];
for (const host of all) await host.sh(makeParents(Object.values(host.parents)));
const estate = await startFailoverEstate(lab);
try {
  const trees = treesOf(lab);
  await makeTree(lab, trees);
  await replicate(estate);
  const planned = await estate.holdfast('do', jobName, 'failover', '--plan');
  await record(estate, 'failOver', 'only-planned', runIn(planned.stdout));
  const over = await act(estate, 'failover');
  console.log(over.text);
  await record(estate, 'failOver', 'source-lives', over.run);
  const again = await act(estate, 'failover');
  await record(estate, 'failOver', 'refused', again.run);
  // Written to by somebody who did not know: it is put aside.
  await din.sh(
    `zfs set readonly=off '${trees.source}/pvc 1'; echo lost > '/${trees.source}/pvc 1/lost'; sync`,
  );
  const back = await act(estate, 'failback');
  console.log(back.text);
  await record(estate, 'failBack', 'one-put-aside', back.run);
} finally {
  await estate.stop();
  for (const host of all) await host.sh(removeParents(Object.values(host.parents)));
}
