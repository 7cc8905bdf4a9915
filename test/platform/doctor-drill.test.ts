import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { playDrill } from '../../activities/doctor/drill.js';
import { type EngineParts, openStage } from '../../activities/doctor/drill-stage.js';
import { workerKilled } from '../../activities/doctor/drill-worker.js';
import { probe } from '../../activities/doctor/probe.js';
import type { DrillReport, HostFacts } from '../../contracts/doctor.js';
import { HoldfastError } from '../../contracts/errors.js';
import { resticVersions } from '../../lab/places.js';
import { runningIn } from '../../system/recorded.js';
import { temporaryFolder } from '../support/temp.js';
import { type Bench, makeBench, runAt } from './restic-bench.js';

/** The drill and the host's answer with real restics, without Temporal. */

const patience = { timeout: 300_000 };
const drillRun = runAt(1, '.drill');

const input = { job: 'photos-offsite', resource: 'photos', run: drillRun, retryForMs: 0 };

/** The scene with an engine of its own takes half a minute: it has a file of its own, and the doctor's with a whole estate. */
const noServer: EngineParts = { holdfast: ['false'], server: () => undefined };

const drill = (bench: Bench): Promise<DrillReport> =>
  playDrill(bench.tools({ run: drillRun }), input, noServer);

const drillsOf = (bench: Bench): string[] => readdirSync(join(bench.host.stateFolder, 'drills'));

const ask = ({ host, config }: Bench): Promise<HostFacts> =>
  probe({ host, config: () => config, digests: () => ({}), version: '0' }, new AbortController().signal);

for (const { version, path } of resticVersions()) {
  describe(`the doctor with restic ${version}`, () => {
    test('every mishap of the drill gives its message, and nothing is left', patience, async () => {
      const bench = makeBench({ restic: path });
      const { scenes, removed } = await drill(bench);
      const [withEngine, ...others] = scenes.toReversed();
      assert.deepEqual(
        others.filter(({ passed }) => !passed),
        [],
      );
      assert.equal(others.length, 7);
      // Without a server it was not played, and so it has not passed.
      assert.equal(withEngine?.skipped, true);
      assert.equal(withEngine.passed, false);
      assert.match(withEngine.message, /no Temporal server was found on this host: install/);
      assert.equal(removed, true);
      assert.deepEqual(drillsOf(bench), []);
      assert.deepEqual(bench.snapshots(), []);
      assert.deepEqual(bench.evidence(), []);
    });

    test('a store that opens is told with its format and without a lock', patience, async () => {
      const { stores, tools } = await ask(makeBench({ restic: path }));
      assert.equal(stores[0]?.error, undefined);
      assert.equal(stores[0]?.format, 2);
      assert.deepEqual(stores[0]?.locks, []);
      assert.match(tools.find(({ name }) => name === 'restic')?.version ?? '', /^0\.\d+\.\d+$/);
    });
  });
}

describe('the failure drill', {
  skip: resticVersions().length === 0 && 'needs restic: npm run setup',
}, () => {
  const restic = resticVersions()[0]?.path ?? 'restic';

  test('says that a message did not come when the tool lets a wrong password pass', patience, async () => {
    const folder = temporaryFolder('lenient');
    const lenient = join(folder, 'restic');
    const script = `[ "$1" = init ] && printf %s "$RESTIC_PASSWORD" > '${folder}/kept'
[ -e '${folder}/kept' ] && RESTIC_PASSWORD=$(cat '${folder}/kept') && export RESTIC_PASSWORD
exec '${restic}' "$@"`;
    writeFileSync(lenient, `#!/bin/sh\n${script}\n`);
    chmodSync(lenient, 0o755);
    const { scenes } = await drill(makeBench({ restic: lenient }));
    const failed = scenes.filter(({ passed }) => !passed).map(({ mishap, came }) => `${mishap}: ${came}`);
    assert(failed.includes('the password is wrong: ok'), `${failed}`);
  });

  test('an emptied source without a marker is told by "least"', patience, async () => {
    const bench = makeBench({ restic, resource: { marker: undefined, least: { files: 3 } } });
    const { scenes } = await drill(bench);
    const [emptied] = scenes.filter(({ mishap }) => /emptied/.test(mishap));
    assert.equal(emptied?.came, 'HF_SOURCE_TOO_SMALL');
    assert.equal(emptied?.passed, true);
  });

  test(
    'removes what a killed drill has left, and nothing of a drill that may still go on',
    patience,
    async () => {
      const bench = makeBench({ restic });
      const drills = join(bench.host.stateFolder, 'drills');
      const now = `photos-offsite.drill-${new Date().toISOString().slice(0, 19)}Z`;
      for (const name of [drillRun, 'photos-offsite.drill-2026-01-01T00:00:00Z', now])
        mkdirSync(join(drills, name, 'source'), { recursive: true });
      await drill(bench);
      assert.deepEqual(drillsOf(bench), [now]);
    },
  );

  test('refuses a job, a resource or a run that do not belong together', async () => {
    const bench = makeBench({ restic });
    const refused = { code: 'HF_NOT_IN_CONFIG' };
    await assert.rejects(playDrill(bench.tools(), { ...input, job: 'other' }, noServer), refused);
    await assert.rejects(playDrill(bench.tools(), { ...input, resource: '../etc' }, noServer), refused);
    await assert.rejects(
      playDrill(bench.tools(), { ...input, run: 'other-2026-11-20T03:00:00Z' }, noServer),
      refused,
    );
    assert.equal(existsSync(join(bench.host.stateFolder, 'drills')), false);
  });

  test('says why an engine of its own cannot be started, and leaves no part of it', patience, async () => {
    const bench = makeBench({ restic });
    const folder = join(bench.host.stateFolder, 'drills', drillRun);
    const server = temporaryFolder('server');
    const reasons: [parts: EngineParts, reason: RegExp][] = [
      [noServer, /no Temporal server was found/],
      [
        {
          ...noServer,
          server: () => {
            throw new HoldfastError('HF_SERVER_BINARY_MISSING', 'HOLDFAST_TEMPORAL_BIN names nothing');
          },
        },
        /HOLDFAST_TEMPORAL_BIN names nothing/,
      ],
      [{ holdfast: ['false'], server: () => server }, /"holdfast up" did not get ready/],
      [{ holdfast: ['sh', '-c', 'echo no memory >&2'], server: () => server }, /ready: no memory/],
    ];
    for (const [parts, reason] of reasons) {
      const place = { ...input, store: 'shed', folder };
      const stage = await openStage(bench.tools({ run: drillRun }), place, parts);
      const found = await workerKilled(stage).play();
      assert('skipped' in found);
      assert.match(found.skipped, reason);
      assert.deepEqual(await runningIn(join(folder, 'processes')), []);
      rmSync(folder, { recursive: true });
    }
  });

  test('is cancelled without leaving anything', patience, async () => {
    const bench = makeBench({ restic });
    const cancel = new AbortController();
    const tools = bench.tools({
      run: drillRun,
      signal: cancel.signal,
      log: (line) => {
        if (/killed in the middle/.test(line)) cancel.abort(new Error('cancelled'));
      },
    });
    await assert.rejects(playDrill(tools, input, noServer), /cancelled/);
    assert.deepEqual(drillsOf(bench), []);
  });
});

describe('a host that is asked', {
  skip: resticVersions().length === 0 && 'needs restic: npm run setup',
}, () => {
  const restic = resticVersions()[0]?.path ?? 'restic';

  test('says of a store out of reach so within its time', patience, async () => {
    const facts = await ask(makeBench({ restic, store: { repository: 'rest:http://127.0.0.1:1/' } }));
    assert.equal(facts.stores[0]?.error?.code, 'HF_STORE_UNREACHABLE');
  });

  test('says what is wrong with its own file, and still what it has', async () => {
    const { host } = makeBench({ restic });
    const config = (): never => {
      throw new Error('line 3: jobs: is missing');
    };
    const facts = await probe(
      { host, config, digests: () => ({}), version: '0' },
      new AbortController().signal,
    );
    assert.deepEqual(facts.configuration, { error: 'line 3: jobs: is missing' });
    assert.deepEqual(facts.stores, []);
    assert(facts.tools.length > 1);
  });

  test('never shows a secret that a tool repeats', async () => {
    const folder = temporaryFolder('talkative');
    const talkative = join(folder, 'restic');
    writeFileSync(talkative, '#!/bin/sh\necho "Fatal: tried $RESTIC_PASSWORD" >&2\nexit 1\n');
    chmodSync(talkative, 0o755);
    const bench = makeBench({ restic });
    const hosts = { nas: { restore: [], tools: { restic: talkative } } };
    const facts = await ask({ ...bench, config: { ...bench.config, hosts } });
    assert(!JSON.stringify(facts).includes('a secret of the test'));
    assert.match(facts.stores[0]?.error?.message ?? '', /\*\*\*/);
  });
});
