import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Played, Scene } from '../../activities/doctor/drill-judge.js';
import { type EngineParts, openStage } from '../../activities/doctor/drill-stage.js';
import { workerKilled } from '../../activities/doctor/drill-worker.js';
import { resticVersions, temporalPath } from '../../lab/places.js';
import { endRecorded, runningIn } from '../../system/recorded.js';
import { isAlive } from '../support/alive.js';
import { makeTree } from '../support/data.js';
import { startEstate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { repositoryRoot } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';
import { type Bench, makeBench, runAt } from './restic-bench.js';

/** The scene of the drill that kills a worker, by itself: with each restic, with restics that do wrong, and when the drill itself is killed. */

const patience = { timeout: 300_000 };
const drillRun = runAt(1, '.drill');

const parts: EngineParts = {
  holdfast: [process.execPath, join(repositoryRoot, 'bin/holdfast.js')],
  server: temporalPath,
};

async function play(bench: Bench): Promise<Played> {
  const found = await playIn(bench);
  assert(!('skipped' in found), 'skipped' in found ? found.skipped : '');
  return found;
}

async function playIn(bench: Bench): ReturnType<Scene['play']> {
  const folder = join(bench.host.stateFolder, 'drills', drillRun);
  const place = { job: 'photos-offsite', resource: 'photos', run: drillRun, retryForMs: 0 };
  const tools = bench.tools({ run: drillRun });
  const stage = await openStage(tools, { ...place, store: 'shed', folder }, parts);
  try {
    return await workerKilled(stage).play();
  } finally {
    assert.deepEqual(await runningIn(join(folder, 'processes')), [], 'the scene leaves no process');
    await endRecorded(join(folder, 'processes'));
  }
}

/** restic as ever, but for the script in place of each copy. */
function wrongAtCopy(restic: string, script: string): string {
  const path = join(temporaryFolder('wrong'), 'restic');
  writeFileSync(path, `#!/bin/sh\n[ "$1" = backup ] || exec '${restic}' "$@"\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('a drill that kills a worker', { skip: needs('temporal', 'restic') }, () => {
  const restic = resticVersions()[0]?.path ?? 'restic';

  for (const { version, path } of resticVersions())
    test(
      `with restic ${version} the run goes on, in an engine that knows nothing of the estate's`,
      patience,
      async () => {
        const before = { ...process.env };
        // Of a worker whose estate is elsewhere: a scratch process that took one of them would find no server.
        Object.assign(process.env, {
          TEMPORAL_ADDRESS: '127.0.0.1:1',
          TEMPORAL_NAMESPACE: 'estate',
          HOLDFAST_CONFIG: '/nowhere/holdfast.yaml',
          HOLDFAST_STATE: '/nowhere/state',
          http_proxy: 'http://127.0.0.1:1',
        });
        try {
          const bench = makeBench({ restic: path });
          const played = await play(bench);
          assert.equal(played.isRight, true, JSON.stringify(played));
          assert.equal(played.came, 'ok');
          assert.match(played.message, /the worker gave no sign any more.*waiting for host nas/);
          assert.deepEqual(bench.snapshots(), []);
          assert.deepEqual(bench.evidence(), []);
        } finally {
          for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
          Object.assign(process.env, before);
        }
      },
    );

  test('fails when a lock is left', patience, async () => {
    const kept = temporaryFolder('kept');
    // Its own lock is put back afterwards, as one of a restic that was killed and of which nobody knows.
    const script = `'${restic}' "$@" & child=$!
until cp "$RESTIC_REPOSITORY"/locks/* '${kept}' 2>/dev/null; do sleep 0.2; done
wait $child; code=$?
cp '${kept}'/* "$RESTIC_REPOSITORY/locks/"
exit $code`;
    const played = await play(makeBench({ restic: wrongAtCopy(restic, script) }));
    assert.equal(played.isRight, false);
    assert.match(played.endState, /locks: 1 \(should be/);
  });

  test('fails when there are two copies of one run', patience, async () => {
    const twice = `'${restic}' "$@" && '${restic}' "$@" >/dev/null`;
    const played = await play(makeBench({ restic: wrongAtCopy(restic, twice) }));
    assert.equal(played.isRight, false);
    assert.notEqual(played.came, 'ok');
    assert.match(played.endState, /snapshots of this run: 2/);
  });
});

describe('a drill in a folder from which nothing may be started', {
  skip: needs('mount', 'temporal', 'restic'),
}, () => {
  test('says so, and has not passed', patience, async () => {
    const bench = makeBench({ restic: resticVersions()[0]?.path ?? 'restic' });
    mkdirSync(bench.host.stateFolder, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'noexec', 'tmpfs', bench.host.stateFolder]);
    try {
      const found = await playIn(bench);
      assert('skipped' in found);
      assert.match(found.skipped, /noexec/);
    } finally {
      execFileSync('umount', ['--lazy', bench.host.stateFolder]);
    }
  });
});

describe('a drill whose own worker is killed', { skip: needs('temporal', 'restic') }, () => {
  test('is played again, after its engine was ended that went on without it', patience, async () => {
    const estate = await startEstate();
    try {
      makeTree(estate.source, { files: 12, bytes: 200_000, seed: 11 });
      const drilling = estate.holdfast('doctor', '--drill', 'photos-offsite');
      const drills = join(estate.stateFolder, 'drills');
      const engine = await waitFor(
        async () => {
          const [run] = existsSync(drills) ? readdirSync(drills) : [];
          const running = run === undefined ? [] : await runningIn(join(drills, run, 'processes'));
          return running.some(({ name }) => name === 'restic-backup') ? running : undefined;
        },
        { timeoutMs: 120_000, what: 'the copy of the scratch engine' },
      );
      const programs = engine.map(({ name }) => name);
      for (const name of ['holdfast-up', 'holdfast-worker', 'temporal-server'])
        assert(programs.includes(name));
      await estate.worker.stop('SIGKILL');
      const alive = (): string[] => engine.filter(({ pid }) => isAlive(pid)).map(({ name }) => name);
      assert(alive().includes('temporal-server'), 'it goes on without the drill');
      await estate.startWorker();
      const { code, stdout, stderr } = await drilling;
      assert.equal(code, 0, `${stdout}${stderr}`);
      assert.match(stdout, /^Every message came\. .* removed again\.$/m);
      assert.deepEqual(alive(), []);
      assert.deepEqual(readdirSync(drills), []);
    } finally {
      await estate.stop();
    }
  });
});
