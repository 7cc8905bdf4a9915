import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Estate, evidenceOf } from '../support/estate.js';
import { quoted } from '../support/lab-host.js';
import { onlyInFull } from '../support/needs.js';
import { runIn } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';
import { startZfsEstate } from '../support/zfs-estate.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** Snapshot jobs on a real pool over ssh, from the command line to what zfs shows afterwards. */

const lab = useZfsLab();
const { skip } = lab;

describe('snapshots of a real pool', { skip }, () => {
  let estate: Estate;
  let tree: string;
  /** Names as people and Kubernetes make them. */
  const children = ['a b', 'pvc-1.x:y_z', 'pvc-1.x:y_z/inner', `long-${'x'.repeat(140)}`, 'vol'];

  /** Name, run and job of every snapshot below the tree. */
  const snapshots = async (): Promise<string[][]> => {
    const text = await lab.din.zfs(
      'list',
      '-Hp',
      '-r',
      '-t',
      'snapshot',
      '-o',
      'name,holdfast:run,holdfast:job',
      tree,
    );
    return text === '' ? [] : text.split('\n').map((line) => line.split('\t'));
  };
  const ofRun = async (run: string): Promise<string[]> =>
    (await snapshots()).filter(([, made]) => made === run).map(([name = '']) => name);
  const run = async (...more: string[]): Promise<{ code: number | null; run: string; stdout: string }> => {
    const { code, stdout } = await estate.holdfast('run', 'hourly', '--follow', ...more);
    return { code, stdout, run: runIn(stdout) };
  };
  const exists = async (file: string): Promise<boolean> =>
    (await lab.din.ask(`test -e ${quoted([file])}`)).code === 0;

  before(async () => {
    tree = `${lab.din.parents.fast}/tree`;
    await lab.din.zfs('create', tree);
    for (const child of children.slice(0, -1)) await lab.din.zfs('create', `${tree}/${child}`);
    await lab.din.zfs('create', '-s', '-V', '8M', `${tree}/vol`);
    await lab.din.zfs('snapshot', '-r', `${tree}@auto-2026-11-20_03-00`);
    const frozen = `/tmp/frozen-${process.pid}`;
    estate = await startZfsEstate(lab.din, tree, (config) => {
      config.hosts.din.hooks = {
        freeze: { run: ['touch', frozen], undo: ['rm', '-f', frozen] },
        slow: { run: ['sh', '-c', `touch ${frozen}; sleep 600`], undo: ['rm', '-f', frozen] },
        broken: { run: ['sh', '-c', 'echo no such database >&2; exit 3'] },
      };
    });
  });
  after(() => estate?.stop());

  test('every dataset and zvol gets the snapshot of the run, and the old ones of the job go', async () => {
    const made: string[] = [];
    for (let at = 0; at < 4; at += 1) {
      const ended = await run();
      assert.equal(ended.code, 0, ended.stdout);
      made.push(ended.run);
      assert.equal((await ofRun(ended.run)).length, children.length + 1);
    }
    const [first = '', ...others] = made;
    assert.deepEqual(await ofRun(first), []);
    for (const other of others) assert.equal((await ofRun(other)).length, children.length + 1);
    const foreign = (await snapshots()).filter(([name]) => name?.endsWith('@auto-2026-11-20_03-00'));
    assert.equal(foreign.length, children.length + 1);
    const { stdout } = await estate.holdfast('status', 'hourly', '--json');
    const [row] = JSON.parse(stdout) as { name: string; level: string; goodRun: string }[];
    assert.equal(row?.level, 'green');
    assert.equal(row?.goodRun, made.at(-1));
    const known = evidenceOf({ ...estate, stateFolder: `${estate.stateFolder}/hosts/din` });
    assert.equal(known.filter(({ kind }) => kind === 'snapshots').length, 4);
  });

  test('one that is held, and the last base of a copy, stay; the run says why in its log', async () => {
    const oldest =
      (await snapshots()).find(([name, made]) => name?.startsWith(`${tree}/a b@`) && made !== '-')?.[0] ?? '';
    await lab.din.zfs('hold', 'keep me', oldest);
    const base =
      (await snapshots()).find(([name, made]) => name?.startsWith(`${tree}/vol@`) && made !== '-')?.[0] ?? '';
    const guid = await lab.din.zfs('get', '-Hp', '-o', 'value', 'guid', base);
    await lab.din.zfs('bookmark', base, `${tree}/vol#holdfast_grogu_${guid}`);
    const ended = await run();
    assert.equal(ended.code, 0, ended.stdout);
    const names = (await snapshots()).map(([name]) => name);
    assert.ok(names.includes(oldest));
    assert.ok(names.includes(base));
    await lab.din.zfs('release', 'keep me', oldest);
    await lab.din.zfs('destroy', `${tree}/vol#holdfast_grogu_${guid}`);
  });

  test('below the floor of the pool nothing is taken, and bookmarks take the place of what a copy that lags keeps', async () => {
    const ofVol = async (): Promise<string[]> =>
      (await snapshots()).flatMap(([name = '', made]) =>
        name.startsWith(`${tree}/vol@`) && made !== '-' ? [name] : [],
      );
    const pool = tree.split('/')[0] ?? '';
    const guidOf = (name: string): Promise<string> => lab.din.zfs('get', '-Hp', '-o', 'value', 'guid', name);
    const [base = '', sent = ''] = await ofVol();
    const [baseGuid, sentGuid] = [await guidOf(base), await guidOf(sent)];
    await lab.din.zfs('bookmark', base, `${tree}/vol#holdfast_grogu_${baseGuid}`);
    await lab.din.zfs('hold', 'holdfast_grogu_copy-2026-11-20T03:00:00Z', sent);
    for (let at = 0; at < 3; at += 1) assert.equal((await run()).code, 0);
    const before = await ofVol();
    assert.ok(before.includes(base) && before.includes(sent), before.join());
    estate.configure((config) => {
      config.hosts.din.pools = { [pool]: { floor: '99%' } };
    });
    const size = Number(await lab.din.zfs('get', '-Hp', '-o', 'value', 'available', pool));
    const filler = `${lab.din.parents.fast}/filler`;
    // Nothing is written: space that is reserved is not free.
    await lab.din.zfs('create', '-o', `refreservation=${Math.round(size / 20)}`, filler);
    const { code, stdout, stderr } = await estate.holdfast('run', 'hourly', '--follow');
    assert.equal(code, 5, stdout);
    assert.match(stdout + stderr, /% of \S+ is free, its floor is 99 %: no snapshot was taken/);
    const after = await ofVol();
    assert.deepEqual(after, before.slice(-3));
    const bookmarks = await lab.din.zfs('list', '-H', '-t', 'bookmark', '-o', 'name,guid', `${tree}/vol`);
    for (const guid of [baseGuid, sentGuid]) assert.match(bookmarks, new RegExp(`_${guid}\t${guid}`));
    for (const guid of [baseGuid, sentGuid])
      await lab.din.zfs('destroy', `${tree}/vol#holdfast_grogu_${guid}`);
    estate.configure((config) => {
      config.hosts.din.pools = undefined;
    });
    await lab.din.zfs('destroy', filler);
  });

  test('what is left out gets none, and a dataset that went away is told', async () => {
    estate.configure((config) => {
      config.resources.tree.exclude = ['pvc-1*', 'vol'];
    });
    await lab.din.zfs('create', `${tree}/gone`);
    assert.equal((await run()).code, 0);
    await lab.din.zfs('destroy', '-r', `${tree}/gone`);
    const ended = await run();
    assert.equal(ended.code, 0, ended.stdout);
    assert.equal((await ofRun(ended.run)).length, 3);
    assert.match(ended.stdout, /1 gone since the last run, with their snapshots: .*\/gone/);
    estate.configure((config) => {
      config.resources.tree.exclude = [];
    });
  });

  test('a worker that is killed between hook and snapshot leaves nothing frozen, and the run makes one set', {
    skip: onlyInFull('half a minute of two emulated hosts'),
  }, async () => {
    estate.configure((config) => {
      config.jobs.hourly.before = ['slow'];
    });
    const frozen = `/tmp/frozen-${process.pid}`;
    const started = runIn((await estate.holdfast('run', 'hourly')).stdout);
    await waitFor(() => exists(frozen), { timeoutMs: 120_000, what: 'the hook to run' });
    estate.configure((config) => {
      config.hosts.din.hooks.slow.run = ['touch', frozen];
    });
    await estate.worker.stop('SIGKILL');
    await estate.startWorker();
    const handle = estate.client.workflow.getHandle(started);
    await handle.result();
    assert.equal(await exists(frozen), false);
    assert.equal((await ofRun(started)).length, children.length + 1);
  });

  test('a run that is terminated in its hook is undone by the next start of the worker', async () => {
    const frozen = `/tmp/frozen-${process.pid}`;
    estate.configure((config) => {
      config.jobs.hourly.before = ['slow'];
      config.hosts.din.hooks.slow.run = ['sh', '-c', `touch ${frozen}; sleep 600`];
    });
    const started = runIn((await estate.holdfast('run', 'hourly')).stdout);
    await waitFor(() => exists(frozen), { timeoutMs: 120_000, what: 'the hook to run' });
    await estate.client.workflow.getHandle(started).terminate('pulled by a test');
    await estate.worker.stop('SIGKILL');
    await estate.startWorker();
    await waitFor(async () => !(await exists(frozen)), { timeoutMs: 120_000, what: 'the hook to be undone' });
    estate.configure((config) => {
      config.jobs.hourly.before = [];
    });
  });

  test('a hook that fails stops the run before any snapshot, and what ran before it is undone', async () => {
    estate.configure((config) => {
      config.jobs.hourly.before = ['freeze', 'broken'];
    });
    const ended = await run();
    assert.equal(ended.code, 1, ended.stdout);
    assert.deepEqual(await ofRun(ended.run), []);
    assert.equal(await exists(`/tmp/frozen-${process.pid}`), false);
    estate.configure((config) => {
      config.jobs.hourly.before = [];
    });
  });

  test('retention that would remove more than half waits for a yes, and then removes just what was shown', async () => {
    estate.configure((config) => {
      config.jobs.hourly.keep = { last: 50 };
    });
    for (let at = 0; at < 5; at += 1) assert.equal((await run()).code, 0);
    estate.configure((config) => {
      config.jobs.hourly.keep = { last: 1 };
    });
    const held = await run();
    assert.equal(held.code, 6, held.stdout);
    assert.match(held.stdout, /--only prune/);
    const before = (await snapshots()).filter(([, , job]) => job === 'hourly').length;
    const asking = runIn((await estate.holdfast('run', 'hourly', '--only', 'prune')).stdout);
    await waitFor(async () => (await estate.holdfast('approve', asking)).code === 0, {
      timeoutMs: 120_000,
      what: 'the question to be asked',
    });
    await estate.client.workflow.getHandle(asking).result();
    const left = (await snapshots()).filter(([, , job]) => job === 'hourly');
    assert.ok(left.length < before);
    assert.equal(left.length, children.length + 1);
    assert.equal(
      left.every(([, made]) => made === held.run),
      true,
    );
  });

  test('a user with no more than sudo for zfs does the same', {
    skip: onlyInFull('half a minute of two emulated hosts'),
  }, async () => {
    estate.configure((config) => {
      config.hosts.din.ssh = { ...config.hosts.din.ssh, user: 'holdfast', sudo: ['zfs', 'zpool'] };
    });
    await estate.worker.stop('SIGKILL');
    await estate.startWorker();
    for (let at = 0; at < 2; at += 1) {
      const ended = await run();
      assert.equal(ended.code, 0, ended.stdout);
      assert.equal((await ofRun(ended.run)).length, children.length + 1);
    }
    const { stdout } = await estate.holdfast('logs', (await run()).run);
    assert.doesNotMatch(stdout, /one dataset after the other/);
  });

  test('a user with delegated rights alone does the same, one dataset after the other', async () => {
    await lab.din.zfs('allow', '-u', 'holdfast', 'snapshot,destroy,mount,hold,release,userprop', tree);
    estate.configure((config) => {
      config.hosts.din.ssh = { ...config.hosts.din.ssh, user: 'holdfast', sudo: [] };
    });
    await estate.worker.stop('SIGKILL');
    await estate.startWorker();
    const [first, second] = [await run(), await run()];
    assert.deepEqual([first.code, second.code], [0, 0], `${first.stdout}${second.stdout}`);
    assert.deepEqual(await ofRun(first.run), []);
    assert.equal((await ofRun(second.run)).length, children.length + 1);
    const { stdout } = await estate.holdfast('logs', second.run);
    assert.match(stdout, /one dataset after the other/);
  });

  test('a dataset that is not there is told by its name', async () => {
    estate.configure((config) => {
      config.resources.tree.dataset = `${tree}/never was`;
    });
    const { code, stderr, stdout } = await estate.holdfast('run', 'hourly', '--follow');
    assert.equal(code, 1);
    assert.match(stdout + stderr, /never was/);
  });
});
