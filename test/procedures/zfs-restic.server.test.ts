import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Estate, evidenceOf } from '../support/estate.js';
import { mountsForReading, quoted } from '../support/lab-host.js';
import { onlyInFull } from '../support/needs.js';
import { runIn } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';
import { startZfsEstate } from '../support/zfs-estate.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** restic on a ZFS host reads datasets from snapshots that stand still. */

const lab = useZfsLab();
const { skip } = lab;

interface Listed {
  id: string;
  paths: string[];
  summary?: { files_unmodified: number; files_new: number; files_changed: number };
}

describe('a backup of datasets', { skip }, () => {
  let estate: Estate;
  let tree: string;
  const repository = `/var/tmp/hf-repository-${process.pid}`;
  const mountpoint = `/hf-${process.pid}`;
  const restic = (...args: string[]): Promise<string> =>
    lab.din.sh(`RESTIC_PASSWORD=swordfish restic -r ${repository} ${quoted(args)}`);
  const copies = async (): Promise<Listed[]> =>
    JSON.parse(await restic('snapshots', '--json', '--no-lock', '--tag', 'job:offsite'));
  const run = async () => {
    const { code, stdout, stderr } = await estate.holdfast('run', 'offsite', '--follow');
    return { code, words: `${stdout}${stderr}`, run: runIn(stdout) };
  };
  /** Nothing of ours may be mounted or held when no run goes on. */
  const assertLetGo = async (): Promise<void> => {
    assert.equal(await mountsForReading(lab.din), '');
    const held = await lab.din.zfs('list', '-Hp', '-r', '-t', 'snapshot', '-o', 'userrefs', tree);
    assert.deepEqual(
      held.split('\n').filter((count) => count !== '' && count !== '0'),
      [],
    );
  };

  before(async () => {
    tree = `${lab.din.parents.fast}/data`;
    await lab.din.zfs('create', '-o', `mountpoint=${mountpoint}`, tree);
    await lab.din.zfs('create', `${tree}/a b`);
    await lab.din.zfs('create', '-o', 'canmount=noauto', `${tree}/not mounted`);
    await lab.din.zfs('create', '-s', '-V', '8M', `${tree}/vol`);
    await lab.din.sh(`
      echo root > ${mountpoint}/root; dd if=/dev/urandom of=${mountpoint}/large bs=1M count=20
      echo frozen > "${mountpoint}/a b/it's here"`);
    estate = await startZfsEstate(lab.din, tree, (config) => {
      config.stores.din = { restic: { repository, password: { command: ['echo', 'swordfish'] } } };
      config.resources.tree.exclude = [];
      config.jobs.offsite = { kind: 'restic-backup', resources: ['tree'], store: 'din', retryFor: '5m' };
    });
    await lab.din.sh(`RESTIC_PASSWORD=swordfish restic -r ${repository} init`);
  });
  after(async () => {
    await estate?.stop();
    await lab.din.ask(`rm -rf ${repository}`);
  });

  test('a zvol among them is refused, with what to do instead, and nothing is left mounted or held', async () => {
    const { code, words } = await run();
    assert.equal(code, 1, words);
    assert.match(words, /vol is a zvol.*exclude it/);
    assert.deepEqual(await copies(), []);
    await assertLetGo();
  });

  test('every planned dataset has a folder of its own in the copy, also one that is not mounted', async () => {
    estate.configure((config) => {
      config.resources.tree.exclude = ['vol'];
    });
    const { code, words } = await run();
    assert.equal(code, 0, words);
    const [copy] = await copies();
    assert.equal(copy?.paths.length, 1);
    const listed = await restic('ls', '--no-lock', copy?.id ?? '');
    for (const name of ['data/root', "data%2Fa b/it's here", 'data%2Fnot mounted'])
      assert.ok(listed.includes(name), name);
    await assertLetGo();
  });

  test('the next copy reads only what changed, and one snapshot of the job stays', async () => {
    await lab.din.sh(`echo more > ${mountpoint}/new`);
    const { code, words, run: name } = await run();
    assert.equal(code, 0, words);
    const summary = (await copies()).at(-1)?.summary;
    assert.deepEqual([summary?.files_new, summary?.files_changed, summary?.files_unmodified], [1, 0, 3]);
    const ours = (await lab.din.zfs('list', '-Hp', '-r', '-t', 'snapshot', '-o', 'holdfast:run', tree)).split(
      '\n',
    );
    assert.deepEqual([...new Set(ours)], [name]);
    await assertLetGo();
  });

  test('from the newest snapshot of a named job: what was written since is not in the copy, and its moment is told', async () => {
    assert.equal((await estate.holdfast('run', 'hourly', '--follow')).code, 0);
    await lab.din.sh(`echo thawed > "${mountpoint}/a b/it's here"`);
    estate.configure((config) => {
      config.jobs.offsite.fromSnapshotsOf = 'hourly';
    });
    const { code, words, run: name } = await run();
    assert.equal(code, 0, words);
    const copy = (await copies()).at(-1);
    const [base = ''] = copy?.paths ?? [];
    const path = `${base}/${`${tree}/a b`.replaceAll('/', '%2F')}/it's here`;
    assert.equal(await restic('dump', '--no-lock', copy?.id ?? '', path), 'frozen');
    const known = evidenceOf({
      ...estate,
      stateFolder: `${estate.stateFolder}/hosts/din`,
    }) as unknown as Record<string, string>[];
    const taken = known.findLast(({ kind }) => kind === 'snapshots');
    const made = known.findLast(({ kind, run: by }) => kind === 'copy' && by === name);
    assert.equal(made?.restorePoint, taken?.restorePoint);
    await assertLetGo();
  });

  test('a worker that is killed in the middle: one copy, and in the end nothing is mounted or held', {
    skip: onlyInFull('half a minute of two emulated hosts'),
  }, async () => {
    await lab.din.sh(`dd if=/dev/urandom of=${mountpoint}/large2 bs=1M count=60`);
    estate.configure((config) => {
      delete config.jobs.offsite.fromSnapshotsOf;
      config.stores.din.restic.limits = { uploadKiBps: 4_000 };
    });
    const before = (await copies()).length;
    const started = runIn((await estate.holdfast('run', 'offsite')).stdout);
    await waitFor(async () => (await lab.din.ask('pgrep -f "restic backup"')).code === 0, {
      timeoutMs: 120_000,
      what: 'restic to copy',
    });
    await estate.worker.stop('SIGKILL');
    await estate.startWorker();
    await estate.client.workflow.getHandle(started).result();
    assert.equal((await copies()).length, before + 1);
    await assertLetGo();
  });

  test('a run that is terminated in the middle is let go by the next start of the worker', {
    skip: onlyInFull('half a minute of two emulated hosts'),
  }, async () => {
    await lab.din.sh(`dd if=/dev/urandom of=${mountpoint}/large3 bs=1M count=60`);
    const started = runIn((await estate.holdfast('run', 'offsite')).stdout);
    await waitFor(async () => (await lab.din.ask('pgrep -f "restic backup"')).code === 0, {
      timeoutMs: 120_000,
      what: 'restic to copy',
    });
    await estate.client.workflow.getHandle(started).terminate('pulled by a test');
    await estate.worker.stop('SIGKILL');
    await lab.din.ask('pkill -x restic');
    await estate.startWorker();
    await waitFor(
      () =>
        assertLetGo().then(
          () => true,
          () => false,
        ),
      {
        timeoutMs: 180_000,
        what: 'the snapshots to be let go',
      },
    );
  });
});
