import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Tools } from '../../activities/door.js';
import { retainSnapshots } from '../../activities/zfs/retain.js';
import { parseConfig } from '../../config/load.js';
import { closeOwnHosts, ownHost } from '../support/lab-zfs-host.js';
import { waitFor } from '../support/wait.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** A real pool that is called short while a real stream of one of its snapshots is under way. */

const lab = useZfsLab();
const { skip } = lab;
after(closeOwnHosts);
// Registered last, so done first: what is being sent cannot be removed.
const running: string[] = [];
after(async () => {
  for (const pid of running) await lab.din.ask(`kill -- -${pid}`);
});

const copy = 'copy-2026-11-20T02:00:00Z';
const tag = `holdfast_grogu.db_${copy}`;
const run = 'hourly-2026-11-20T09:00:00Z';
const input = { job: 'hourly', run, resources: ['db'], retryForMs: 1000 };

for (const user of ['root', 'holdfast'] as const)
  test(`as ${user}: what is being sent stays and is held again, goes when the stream has ended, and a bookmark is the base then`, {
    skip,
  }, async () => {
    const { din } = lab;
    const db = `${din.parents.fast}/no db of ${user}`;
    await din.sh(`set -e; zfs create '${db}'
      for at in 1 2 3 4 5; do
        head -c 4000000 /dev/urandom > "$(zfs get -H -o value mountpoint '${db}')/data $at"
        zfs snapshot -o holdfast:job=hourly -o holdfast:run=hourly-2026-11-0\${at}T00:00:00Z '${db}'@s$at
      done`);
    const guid = (await din.zfs('get', '-H', '-o', 'value', 'guid', `${db}@s1`)).trim();
    await din.zfs('bookmark', `${db}@s1`, `${db}#holdfast_grogu.db_${guid}`);
    await din.zfs('hold', tag, `${db}@s3`);
    const { config, mistakes } = parseConfig(
      JSON.stringify({
        hosts: { din: { pools: { [db.split('/')[0] ?? '']: { floor: '99.99%' } } } },
        resources: { db: { host: 'din', dataset: db } },
        jobs: { hourly: { kind: 'zfs-snapshot', resources: ['db'], keep: { last: 1 } } },
      }),
      '/holdfast.yaml',
    );
    assert(config, JSON.stringify(mistakes));
    const quiet = () => undefined;
    const { signal } = new AbortController();
    const tools = { host: ownHost(din, user), config, run, attempt: 1, signal, progress: quiet, log: quiet };
    const retain = (endedRuns: string[]) => retainSnapshots(tools as Tools, { ...input, endedRuns });
    const left = async (): Promise<string> =>
      (await din.zfs('list', '-H', '-t', 'snapshot', '-o', 'name', '-s', 'createtxg', db))
        .split('\n')
        .map((name) => name.slice(db.length + 1))
        .join(' ');
    const holds = async (): Promise<string> => din.zfs('holds', '-H', `${db}@s3`);

    // Its pipe is full and nobody reads it: the kernel keeps what is being sent.
    const pid = (
      await din.sh(
        `(setsid sh -c "echo \\$\\$ > /var/tmp/sender; zfs send '${db}@s3' | sleep 600" >/dev/null 2>&1 </dev/null &) ; sleep 1; cat /var/tmp/sender`,
      )
    ).trim();
    running.push(pid);
    const asked = await retain([]);
    assert.deepEqual([asked.removed, asked.holdingRuns, await left()], [1, [copy], 's1 s3 s4 s5']);
    // Its worker is dead, its stream is not: said to have ended, it is under way all the same.
    const busy = await retain([copy]);
    assert.match(busy.warnings.join('\n'), /@s3 was to go and stayed/);
    assert.equal(await left(), 's3 s5');
    assert.match(await holds(), new RegExp(tag), 'what stayed is held as before');
    await din.sh(`kill -- -${pid}`);
    await waitFor(async () => (await retain([copy])).removed === 1, { timeoutMs: 30_000, what: 's3 to go' });
    assert.equal(await left(), 's5');
    const [cursor] = (
      await din.zfs('list', '-H', '-t', 'bookmark', '-o', 'name', '-S', 'createtxg', db)
    ).split('\n');
    await din.sh(`zfs send -i '${cursor}' '${db}@s5' > /dev/null`);
  });
