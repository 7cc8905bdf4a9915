import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Estate, evidenceOf } from '../support/estate.js';
import { mountsForReading, quoted } from '../support/lab-host.js';
import { waitFor } from '../support/wait.js';
import { startZfsEstate } from '../support/zfs-estate.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** The first upload of a dataset: each portion reads a snapshot of its own, and none is held for long. */

const lab = useZfsLab();
const { skip } = lab;
const timeoutMs = 400_000;

describe('the first upload of a dataset', { skip }, () => {
  let estate: Estate;
  let tree: string;
  let upload: string;
  const repository = `/var/tmp/hf-seeding-${process.pid}`;
  const mountpoint = `/hf-seeding-${process.pid}`;
  const restic = (...args: string[]): Promise<string> =>
    lab.din.sh(`RESTIC_PASSWORD=swordfish restic -r ${repository} ${quoted(args)}`);
  const snapshots = async () =>
    JSON.parse(await restic('snapshots', '--json', '--no-lock')) as {
      id: string;
      tags: string[];
      summary?: { files_unmodified: number };
    }[];
  /** Name and number of holds of each snapshot of the tree. */
  const held = async (): Promise<string[][]> =>
    (await lab.din.zfs('list', '-Hp', '-r', '-t', 'snapshot', '-o', 'name,userrefs', tree))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t'));
  const facts = () => evidenceOf({ ...estate, stateFolder: `${estate.stateFolder}/hosts/din` });

  before(async () => {
    tree = `${lab.din.parents.fast}/data`;
    await lab.din.zfs('create', '-o', `mountpoint=${mountpoint}`, tree);
    await lab.din.zfs('create', `${tree}/a b`);
    await lab.din.sh(`
      for n in 1 2 3; do mkdir ${mountpoint}/$n; dd if=/dev/urandom of=${mountpoint}/$n/large bs=1M count=5; done
      echo first > "${mountpoint}/a b/it's here"`);
    estate = await startZfsEstate(lab.din, tree, (config) => {
      config.stores.din = { restic: { repository, password: { command: ['echo', 'swordfish'] } } };
      config.jobs.offsite = {
        kind: 'restic-backup',
        resources: ['tree'],
        store: 'din',
        retryFor: '5m',
        seeding: { portion: '6MB', noProgressAfter: '1h' },
      };
    });
    await lab.din.sh(`RESTIC_PASSWORD=swordfish restic -r ${repository} init`);
  });
  after(async () => {
    await estate?.stop();
    await lab.din.ask(`rm -rf ${repository}`);
  });

  test('reads a fresh snapshot for each portion and lets go of it', async () => {
    const begun = await estate.holdfast('run', 'offsite', '--follow');
    assert.equal(begun.code, 6, begun.stdout + begun.stderr);
    upload = /offsite\.seed-din-[-:\dTZ]+/.exec(begun.stdout)?.[0] ?? '';
    const parts = () => facts().filter(({ kind }) => kind === 'seed-part').length;
    await waitFor(() => parts() >= 1, { timeoutMs, what: 'the first portion' });
    await lab.din.sh(`echo later > ${mountpoint}/3/later`);
    await estate.client.workflow.getHandle(upload).result();
    assert.ok(parts() >= 3, `${parts()} portions`);
    const opened = facts().filter(({ kind, run }) => kind === 'undo-open' && run === upload);
    assert.equal(opened.length, parts() + 1, 'one for each portion, and one for the copy');
    assert.equal(await mountsForReading(lab.din), '');
    assert.deepEqual(
      (await held()).filter(([, count]) => count !== '0'),
      [],
    );
    const names = new Set((await held()).map(([name]) => name?.split('@')[1]));
    assert.ok(names.size <= 2, `${[...names]} are left`);
  });

  test('ends with a copy that holds what came meanwhile, and has read nothing twice', async () => {
    const all = await snapshots();
    const copies = all.filter(({ tags }) => tags.includes('job:offsite'));
    assert.equal(copies.length, 1);
    assert.match(await restic('ls', '--no-lock', copies[0]?.id ?? ''), /3\/later/);
    assert.ok((copies[0]?.summary?.files_unmodified ?? 0) >= 3, JSON.stringify(copies[0]?.summary));
    const [row] = JSON.parse((await estate.holdfast('status', 'offsite', '--json')).stdout);
    assert.deepEqual([row.goodRun, row.seeding], [upload, undefined]);
  });

  test('is followed by a backup like any other, with one snapshot of the job', async () => {
    const night = await estate.holdfast('run', 'offsite', '--follow');
    assert.equal(night.code, 0, night.stdout + night.stderr);
    const names = new Set((await held()).map(([name]) => name?.split('@')[1]));
    assert.ok(
      [...names].every((name) => name?.startsWith('holdfast_offsite')),
      [...names].join(),
    );
    assert.equal((await snapshots()).filter(({ tags }) => tags.includes('job:offsite')).length, 2);
  });
});
