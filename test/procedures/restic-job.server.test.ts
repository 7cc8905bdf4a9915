import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { compareTrees } from '../support/compare.js';
import { makeTree } from '../support/data.js';
import { type Estate, evidenceOf, startEstate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import type { PlainConfig } from '../support/plain-config.js';
import { runIn } from '../support/run-watch.js';
import { type S3Server, startS3 } from '../support/s3-server.js';
import { waitFor } from '../support/wait.js';

/** One restic job from end to end, as an operator drives it: real Temporal, real restic, a real S3 server, our own command line. */

interface Snapshot {
  id: string;
  tags: string[];
  paths: string[];
}

describe('a restic job from end to end', { skip: needs('temporal', 'restic', 's3') }, () => {
  let estate: Estate;
  let s3: S3Server;

  before(async () => {
    s3 = await startS3();
    mkdirSync(join(s3.bucketFolder, 'lab-photos'));
    estate = await startEstate({
      repository: `s3:${s3.endpoint}/lab-photos`,
      resticEnv: { AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SECRET_ACCESS_KEY: s3.secretKey },
      change: (config) => {
        config.resources.photos.marker = '.holdfast';
        config.resources.photos.least = { files: 20, bytes: '1MB' };
        config.jobs['photos-offsite'].exclude = ['*.tmp', '@eaDir'];
      },
    });
    // Secrets by reference, one of each kind.
    const secret = join(estate.folder, 's3 secret');
    writeFileSync(secret, `${s3.secretKey}\n`, { mode: 0o600 });
    estate.configure((config) => {
      config.stores.vault.restic.env = {
        AWS_ACCESS_KEY_ID: { command: ['printf', '%s', s3.accessKey] },
        AWS_SECRET_ACCESS_KEY: { file: secret },
      };
    });
    makeTree(estate.source, { files: 80, bytes: 6_000_000, seed: 3 });
    writeFileSync(join(estate.source, '.holdfast'), '');
    mkdirSync(join(estate.source, '2024'));
    writeFileSync(join(estate.source, '2024', 'January.txt'), 'snow');
    mkdirSync(join(estate.source, '@eaDir'));
    writeFileSync(join(estate.source, '@eaDir', 'thumbnail'), 'left out');
    writeFileSync(join(estate.source, 'half.tmp'), 'left out');
  });
  after(async () => {
    await estate?.stop();
    await s3?.stop();
  });

  const snapshots = async (): Promise<Snapshot[]> =>
    (await estate.restic('snapshots', '--no-lock', '--tag', 'holdfast')) as Snapshot[];
  const follow = (...args: string[]) => estate.holdfast('run', 'photos-offsite', '--follow', ...args);
  /** A change of the file that lasts for one test. */
  const withConfig = async (
    change: (config: PlainConfig) => void,
    body: () => Promise<void>,
  ): Promise<void> => {
    let before = '';
    estate.configure((config) => {
      before = JSON.stringify(config);
      change(config);
    });
    try {
      await body();
    } finally {
      estate.configure((config) => {
        for (const key of Object.keys(config)) delete config[key];
        Object.assign(config, JSON.parse(before));
      });
    }
  };

  test('a repository that is not there is told, not made', async () => {
    const ended = await follow();
    assert.equal(ended.code, 1);
    assert.match(ended.stdout + ended.stderr, /no repository|HF_STORE_MISSING/i);
    assert.match(ended.stdout + ended.stderr, /init-store/);
    assert.deepEqual(readdirSync(join(s3.bucketFolder, 'lab-photos')), []);
  });

  test('init-store makes the repository once', async () => {
    const first = await estate.holdfast('init-store', 'vault');
    assert.equal(first.code, 0, first.stderr);
    const again = await estate.holdfast('init-store', 'vault');
    assert.equal(again.code, 5, again.stdout + again.stderr);
  });

  test('apply makes the schedules, and twice changes nothing', async () => {
    const planned = await estate.holdfast('plan');
    assert.equal(planned.code, 0, planned.stderr);
    assert.match(planned.stdout, /hf-photos-offsite\.check/);
    assert.equal((await estate.holdfast('apply')).code, 0);
    const again = await estate.holdfast('plan', '--json');
    const kinds = (JSON.parse(again.stdout).changes ?? JSON.parse(again.stdout)).map(
      ({ kind }: { kind: string }) => kind,
    );
    assert.deepEqual(kinds, ['same', 'same', 'same']);
  });

  test('a backup makes one proved snapshot with the tags of its run', async () => {
    const ended = await follow();
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    const run = runIn(ended.stdout);
    const all = await snapshots();
    assert.equal(all.length, 1);
    assert.deepEqual(all[0]?.paths, [estate.source]);
    for (const tag of ['holdfast', 'job:photos-offsite', 'resource:photos', `run:${run}`])
      assert(all[0]?.tags.includes(tag), tag);
    const [proof] = evidenceOf(estate).filter(({ kind }) => kind === 'copy');
    assert.equal(proof?.snapshot, all[0]?.id);
    assert.equal(proof?.run, run);
  });

  test('status, runs, show and logs tell of it, also as JSON', async () => {
    const status = await estate.holdfast('status', '--check');
    assert.match(status.stdout, /photos-offsite/);
    const listed = await estate.holdfast('runs', 'photos-offsite', '--json');
    assert.equal(listed.code, 0, listed.stderr);
    const run = runIn(listed.stdout);
    const shown = await estate.holdfast('show', run);
    assert.match(shown.stdout, /vault/);
    assert.equal((await estate.holdfast('show', run, '--json')).code, 0);
    const logs = await estate.holdfast('logs', run);
    assert.match(logs.stdout, /restic backup: 0/);
  });

  test('the whole copy is restored to the byte, with every attribute, and the report says what was compared', async () => {
    const target = join(estate.folder, 'restores', 'whole');
    const ended = await estate.holdfast('restore', 'photos-offsite', '--to', `nas:${target}`, '--yes');
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    rmSync(join(estate.source, '@eaDir'), { recursive: true });
    rmSync(join(estate.source, 'half.tmp'));
    // Taking the excluded files out has touched the folder itself.
    const differences = compareTrees(estate.source, target).filter(
      (line) => !/^"\.?"?: mtime|^"": mtime/.test(line),
    );
    assert.deepEqual(differences, []);
    for (const property of ['content', 'owner', 'mode', 'time', 'link'])
      assert.match(ended.stdout, new RegExp(property, 'i'));
  });

  test('a path of it is restored to its place below the target', async () => {
    const target = join(estate.folder, 'restores', 'part');
    const ended = await estate.holdfast(
      'restore',
      'photos-offsite',
      '--path',
      '2024/',
      '--to',
      `nas:${target}`,
      '--yes',
    );
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    assert.deepEqual(readdirSync(target), ['2024']);
    assert.equal(readFileSync(join(target, '2024', 'January.txt'), 'utf8'), 'snow');
  });

  for (const [what, args, code, words] of [
    ['a target that is not empty', ['--to', 'nas:SOURCE/2024', '--yes'], 5, /does not restore to|not empty/],
    [
      'a target that is not allowed',
      ['--to', 'nas:/etc/holdfast-restore', '--yes'],
      5,
      /does not restore to/,
    ],
    ['a path that is not in the copy', ['--path', '2023/', '--to', 'nas:RESTORES/x1', '--yes'], 3, /2023/],
    [
      'a time before the first copy',
      ['--at', '2001-01-01 12:00', '--to', 'nas:RESTORES/x2', '--yes'],
      3,
      /2001/,
    ],
    ['a copy that does not exist', ['--copy', 'ffffffff', '--to', 'nas:RESTORES/x3', '--yes'], 3, /ffffffff/],
    ['a host that does not exist', ['--to', 'nass:/tmp/x4', '--yes'], 2, /nas/],
    ['no yes in a pipe', ['--to', 'nas:RESTORES/x5'], 5, /approv|--yes/i],
  ] as const) {
    test(`a restore with ${what} is refused with ${code} and writes nothing`, async () => {
      const restores = join(estate.folder, 'restores');
      const real = args.map((arg) => arg.replace('SOURCE', estate.source).replace('RESTORES', restores));
      const ended = await estate.holdfast('restore', 'photos-offsite', ...real);
      assert.equal(ended.code, code, ended.stdout + ended.stderr);
      assert.match(ended.stdout + ended.stderr, words);
      assert.doesNotMatch(ended.stdout + ended.stderr, /^\s+at /m);
      assert.deepEqual(readdirSync(restores).sort(), ['part', 'whole']);
      assert.equal(existsSync('/etc/holdfast-restore'), false);
    });
  }

  test('a restore into a folder with files in it is refused', async () => {
    const target = join(estate.folder, 'restores', 'part');
    const ended = await estate.holdfast('restore', 'photos-offsite', '--to', `nas:${target}`, '--yes');
    assert.equal(ended.code, 5, ended.stdout + ended.stderr);
    assert.match(ended.stdout + ended.stderr, /not empty/);
    assert.deepEqual(readdirSync(target), ['2024']);
  });

  test('check reads the parts by turns, and prune is done and proved', async () => {
    for (const part of [1, 2]) {
      const ended = await follow('--only', 'check');
      assert.equal(ended.code, 0, ended.stdout + ended.stderr);
      assert.match(ended.stdout, new RegExp(`part ${part} of 2`));
    }
    const pruned = await follow('--only', 'prune');
    assert.equal(pruned.code, 0, pruned.stdout + pruned.stderr);
    assert.equal((await snapshots()).length, 1);
  });

  test('a file that cannot be read is a warning by name, and the copy is kept', {
    skip: asRoot() && 'root reads everything',
  }, async () => {
    const file = join(estate.source, 'locked away.txt');
    writeFileSync(file, 'x');
    chmodSync(file, 0);
    const ended = await follow();
    rmSync(file, { force: true });
    assert.equal(ended.code, 6, ended.stdout + ended.stderr);
    assert.match(ended.stdout, /locked away\.txt/);
  });

  test('a source without its marker, an emptied one and one that is gone stop the run before anything is written', async () => {
    const before = (await snapshots()).length;
    const aside = `${estate.source}.aside`;
    renameSync(join(estate.source, '.holdfast'), join(estate.folder, 'marker'));
    const unmarked = await follow();
    assert.equal(unmarked.code, 1, unmarked.stdout + unmarked.stderr);
    assert.match(unmarked.stdout + unmarked.stderr, /\.holdfast/);
    renameSync(join(estate.folder, 'marker'), join(estate.source, '.holdfast'));

    renameSync(estate.source, aside);
    const gone = await follow();
    assert.equal(gone.code, 1, gone.stdout + gone.stderr);
    mkdirSync(estate.source);
    writeFileSync(join(estate.source, '.holdfast'), '');
    const emptied = await follow();
    assert.equal(emptied.code, 5, emptied.stdout + emptied.stderr);
    assert.match(emptied.stdout + emptied.stderr, /least|emptied/);
    rmSync(estate.source, { recursive: true });
    renameSync(aside, estate.source);
    assert.equal((await snapshots()).length, before);
  });

  test('a copy far smaller than the earlier ones is refused, until a human accepts it', async () => {
    const kept = join(estate.folder, 'kept');
    execFileSync('cp', ['-a', estate.source, kept]);
    await withConfig(
      (config) => {
        config.resources.photos.least = {};
      },
      async () => {
        for (const name of readdirSync(estate.source)) {
          if (name !== '.holdfast' && name !== '2024') rmSync(join(estate.source, name), { recursive: true });
        }
        const refused = await follow();
        assert.equal(refused.code, 5, refused.stdout + refused.stderr);
        assert.match(refused.stdout + refused.stderr, /--accept-counts/);
        const accepted = await follow('--accept-counts');
        assert.equal(accepted.code, 0, accepted.stdout + accepted.stderr);
      },
    );
    rmSync(estate.source, { recursive: true });
    renameSync(kept, estate.source);
  });

  test('a wrong password is told at once and not retried', async () => {
    const wrong = join(estate.folder, 'wrong password');
    writeFileSync(wrong, 'not-the-right-one');
    await withConfig(
      (config) => {
        config.stores.vault.restic.password = { file: wrong };
      },
      async () => {
        const ended = await follow();
        assert.equal(ended.code, 1, ended.stdout + ended.stderr);
        assert.match(ended.stdout + ended.stderr, /password/);
        assert.doesNotMatch(ended.stdout + ended.stderr, /not-the-right-one|attempt 2/);
      },
    );
  });

  test('a store that does not answer is tried again while retryFor lasts, then the run fails', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await waitFor(() => silent.listening, { timeoutMs: 5_000, what: 'a port' });
    const address = silent.address();
    assert(address && typeof address === 'object');
    silent.close();
    await withConfig(
      (config) => {
        config.stores.vault.restic.repository = `s3:http://127.0.0.1:${address.port}/lab-photos`;
        config.jobs['photos-offsite'].retryFor = '3s';
      },
      async () => {
        const ended = await follow();
        assert.equal(ended.code, 1, ended.stdout + ended.stderr);
        assert.match(ended.stdout + ended.stderr, /does not answer|unreachable|refused/i);
      },
    );
  });

  test('no secret is in any output, history, log, evidence or argument', async () => {
    const secrets = [s3.secretKey, 'correct horse battery staple', 'not-the-right-one'];
    const texts: string[] = [];
    for await (const { workflowId, runId } of estate.client.workflow.list()) {
      texts.push(
        JSON.stringify(
          historyToJSON(await estate.client.workflow.getHandle(workflowId, runId).fetchHistory()),
        ),
      );
    }
    const files = readdirSync(estate.stateFolder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    for (const entry of files) texts.push(readFileSync(join(entry.parentPath, entry.name), 'latin1'));
    texts.push(estate.worker.stderr.join('\n'), estate.orchestrator.stderr.join('\n'));
    assert(texts.length > 20);
    for (const secret of secrets) {
      const encoded = Buffer.from(secret).toString('base64').replace(/=+$/, '');
      const leaks = texts.filter((text) => text.includes(secret) || text.includes(encoded));
      assert.equal(leaks.length, 0, leaks[0]?.slice(0, 500));
    }
  });

  test('a job, a run and an operation that do not exist are 3 and 2, with the nearest name', async () => {
    const job = await estate.holdfast('run', 'photo-offsite');
    assert.equal(job.code, 3);
    assert.match(job.stderr, /photos-offsite/);
    assert.equal((await estate.holdfast('show', 'photos-offsite-2001-01-01T00:00:00Z')).code, 3);
    assert.equal((await estate.holdfast('run', 'photos-offsite', '--only', 'chekc')).code, 2);
  });
});

function asRoot(): boolean {
  return process.getuid?.() === 0;
}
