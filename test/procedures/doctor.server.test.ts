import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import type { Finding } from '../../contracts/doctor.js';
import { resticPath } from '../../lab/places.js';
import { compareTrees } from '../support/compare.js';
import { makeTree } from '../support/data.js';
import { type Estate, startEstate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import type { PlainConfig } from '../support/plain-config.js';

/** The doctor on a real estate: what is wrong is found and named, what is right is left in peace. */

const password = 'correct horse battery staple';
const patience = { timeout: 300_000 };

interface Said {
  code: number | null;
  /** All but "ok". */
  findings: Finding[];
  all: Finding[];
}

async function ask(estate: Estate, ...args: string[]): Promise<Said> {
  const { code, stdout, stderr } = await estate.holdfast('doctor', '--json', ...args);
  assert(!`${stdout}${stderr}`.includes(password), 'the password was shown');
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  assert(findings, stdout);
  // Whether the tests run as root is the machine's business.
  return {
    code,
    all: findings,
    findings: findings.filter(({ level, subject }) => level !== 'ok' && subject !== 'user'),
  };
}

const lines = (findings: Finding[]): string[] =>
  findings.map(({ level, host, subject }) => `${level} ${host} ${subject}`);

describe('the doctor', { skip: needs('temporal', 'restic', 'acl') }, () => {
  let estate: Estate;
  let plain: PlainConfig;
  const keyFile = (): string => join(estate.folder, 'password');
  const marker = (): string => join(estate.source, '.holdfast');

  before(async () => {
    estate = await startEstate({
      change: (config) => {
        config.resources.photos.marker = '.holdfast';
        plain = config;
      },
    });
    makeTree(estate.source, { files: 12, bytes: 200_000, seed: 11 });
    writeFileSync(marker(), '');
  }, patience);
  after(() => estate?.stop());

  test(
    'before anything was set up it names the repository and the schedules, and what to do',
    patience,
    async () => {
      const { code, findings } = await ask(estate);
      assert.equal(code, 1);
      const store = findings.find(({ subject }) => subject === 'store vault');
      assert.match(store?.next ?? '', /init-store vault/);
      assert(lines(findings).includes('warning temporal schedule hf-photos-offsite'));
    },
  );

  test('a healthy estate is fine, ends with 0 and is told line by line', patience, async () => {
    assert.equal((await estate.holdfast('init-store', 'vault')).code, 0);
    assert.equal((await estate.holdfast('apply')).code, 0);
    const { code, findings, all } = await ask(estate);
    assert.deepEqual(findings, []);
    assert.equal(code, 0);
    for (const subject of [
      'clock',
      'restic',
      'configuration',
      'source photos',
      'store vault',
      'state folder',
    ])
      assert(
        all.some((finding) => finding.host === 'nas' && finding.subject === subject),
        `nothing on ${subject}`,
      );
    const { stdout } = await estate.holdfast('doctor', 'nas');
    assert.match(stdout, /^nas$/m);
    assert.match(stdout, /^0 blocking, 0 warnings/m);
  });

  test('a key that everybody can read is a warning, with 6', patience, async () => {
    chmodSync(estate.folder, 0o755);
    chmodSync(keyFile(), 0o644);
    const { code, findings } = await ask(estate);
    chmodSync(keyFile(), 0o600);
    assert.deepEqual(lines(findings), ['warning nas secret password of vault']);
    assert.match(findings[0]?.found ?? '', /everybody on the host can read the file/);
    assert.equal(code, 6);
  });

  test('a wrong password blocks, and neither the wrong nor the right one is shown', patience, async () => {
    writeFileSync(keyFile(), 'something else entirely\n');
    const { stdout, code } = await estate.holdfast('doctor', '--json');
    writeFileSync(keyFile(), `${password}\n`);
    assert.equal(code, 1);
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    const blocking = findings.filter(({ level }) => level === 'blocking');
    assert.deepEqual(lines(blocking), ['blocking nas store vault']);
    assert.match(blocking[0]?.found ?? '', /password of the store "vault" is wrong/);
    assert(!stdout.includes('something else entirely'));
  });

  test('a marker that is missing blocks', patience, async () => {
    rmSync(marker());
    const { code, findings } = await ask(estate);
    writeFileSync(marker(), '');
    assert.deepEqual(lines(findings), ['blocking nas source photos']);
    assert.match(findings[0]?.found ?? '', /marker .* is missing/);
    assert.equal(code, 1);
  });

  test('a lock that somebody left is told with its holder', patience, async () => {
    const locks = join(estate.repository, 'locks');
    const left = await leaveLock(estate);
    const { findings } = await ask(estate);
    rmSync(join(locks, left));
    assert.match(lines(findings)[0] ?? '', /^note nas lock [0-9a-f]{8} of vault$/);
    assert.match(findings[0]?.found ?? '', /held by process \d+ on /);
  });

  test(
    'another configuration on this machine than on the host is a warning that names the section',
    patience,
    async () => {
      const other = structuredClone(plain);
      other.jobs['photos-offsite'].exclude = ['*.tmp'];
      const file = join(estate.folder, 'other.yaml');
      writeFileSync(file, stringify(other));
      const { code, findings } = await ask(estate, '--config', file);
      const found = findings.find(({ subject }) => subject === 'configuration');
      assert.equal(found?.level, 'warning');
      assert.match(found?.found ?? '', /differs from the one here in jobs$/);
      assert.equal(code, 6);
    },
  );

  test('a promise that the schedule cannot keep is told', patience, async () => {
    estate.configure((config) => {
      config.jobs['photos-offsite'].objective.rpo = '12h';
    });
    const { code, findings } = await ask(estate);
    estate.configure((config) => {
      config.jobs['photos-offsite'].objective.rpo = '26h';
    });
    assert(
      findings.some(({ host, subject }) => host === 'here' && /objective\.rpo/.test(subject)),
      `${lines(findings)}`,
    );
    assert.equal(code, 6);
  });

  test('a host that the file does not name is a mistake of usage', patience, async () => {
    const { code, stderr } = await estate.holdfast('doctor', 'nass');
    assert.equal(code, 2);
    assert.match(stderr, /no host "nass".*nas/);
  });

  describe('the failure drill', () => {
    test('plays every mishap, shows the message that came, and leaves nothing behind', patience, async () => {
      const before = join(estate.folder, 'before');
      execFileSync('cp', ['-a', estate.source, before]);
      const { code, stdout, stderr } = await estate.holdfast('doctor', '--drill', 'photos-offsite');
      assert.equal(code, 0, `${stdout}${stderr}`);
      for (const said of [
        'HF_WRONG_PASSWORD',
        'HF_SOURCE_MISSING',
        'HF_TOOL_KILLED',
        'HF_STORE_MISSING',
        'HF_STORE_UNREACHABLE',
      ])
        assert.match(stdout, new RegExp(`^came\\t[^\\t]+\\t${said}\\t`, 'm'));
      assert.match(stdout, /The password of the store "vault" is wrong/);
      // A real run in an engine of its own lost its worker: what was said of it, and how it went on.
      assert.match(
        stdout,
        /^came\tthe worker is killed in the middle of the copy\tok\twith a new worker the run ended well; snapshots of this run: 1, good copies: 4, locks: 0; processes: 0$/m,
      );
      assert.match(
        stdout,
        /^the worker is killed in the middle of the copy: attempt 1 failed: the worker gave no sign any more; .*waiting for host nas/m,
      );
      assert.match(stdout, /^Every message came\. .* removed again\.$/m);
      assert.deepEqual(readdirSync(join(estate.stateFolder, 'drills')), []);
      assert.deepEqual(compareTrees(before, estate.source), []);
      assert.deepEqual(await estate.restic('snapshots'), []);
      assert.equal(existsSync(join(estate.stateFolder, 'evidence.jsonl')), false, 'a drill proves nothing');
    });

    test('is no run of the job, and says which job there is not', patience, async () => {
      assert(!(await estate.holdfast('runs')).stdout.includes('drill'));
      assert.equal((await estate.holdfast('doctor', '--drill', 'photos-ofsite')).code, 3);
    });
  });

  test('a host without a worker is a finding within a minute, not a hang', patience, async () => {
    await estate.worker.stop();
    const started = performance.now();
    const { code, findings } = await ask(estate, 'nas');
    assert.deepEqual(lines(findings), ['blocking nas worker']);
    assert.match(findings[0]?.next ?? '', /holdfast worker --host nas/);
    assert.equal(code, 1);
    assert(performance.now() - started < 60_000);
  });

  test('an orchestrator that is gone is a finding within a minute as well', patience, async () => {
    await estate.orchestrator.stop('SIGKILL');
    const { code, findings } = await ask(estate);
    assert(
      findings.some(({ level, found }) => level === 'blocking' && /rchestrator|asks for work/.test(found)),
      `${lines(findings)}`,
    );
    assert.equal(code, 1);
  });

  test(
    'without Temporal it looks at this machine and the file, says so, and ends with 4',
    patience,
    async () => {
      await estate.server.stop();
      const { code, findings, all } = await ask(estate);
      assert.equal(code, 4);
      assert.match(findings[0]?.found ?? '', /does not answer.*only this machine was looked at/);
      assert(
        all.some(({ host, subject, level }) => host === 'here' && subject === 'restic' && level === 'ok'),
      );
      assert(all.some(({ host, subject }) => host === 'here' && subject === 'configuration'));
    },
  );
});

/** The lock of a restic that is long gone, as a killed one leaves it: its file is kept while it works and put back afterwards. */
async function leaveLock(estate: Estate): Promise<string> {
  const locks = join(estate.repository, 'locks');
  const before = new Set(readdirSync(locks));
  const kept = new Map<string, Buffer>();
  const watching = setInterval(() => {
    for (const name of readdirSync(locks)) {
      // Under its last name it is whole.
      if (!/^[0-9a-f]{64}$/.test(name) || before.has(name) || kept.has(name)) continue;
      try {
        kept.set(name, readFileSync(join(locks, name)));
      } catch {
        // It was gone again in between.
      }
    }
  }, 2);
  const env = { ...process.env, RESTIC_REPOSITORY: estate.repository, RESTIC_PASSWORD: password };
  await promisify(execFile)(resticPath() ?? 'restic', ['check', '--read-data'], { env });
  clearInterval(watching);
  const [[name, content] = []] = kept;
  assert(name && content, 'no lock was seen');
  writeFileSync(join(locks, name), content);
  return name;
}
