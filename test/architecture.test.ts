import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { repositoryRoot } from './support/root.js';

/** The architecture is a test: which room may import what, and why. */

interface Rule {
  /** Rooms and packages that may be imported by value. */
  may: RegExp;
  /** In addition, by `import type` alone. */
  mayAsType?: RegExp;
  because: string;
}

const packages = (...names: string[]): string => names.map((name) => name.replaceAll('/', '\\/')).join('|');

const rules: Record<string, Rule> = {
  contracts: { may: /^contracts\//, because: 'both ends of every wire read it: it must load anywhere' },
  workflows: {
    may: new RegExp(`^(contracts/|workflows/|(${packages('@temporalio/workflow', '@temporalio/common')})$)`),
    mayAsType: /^activities\//,
    because: 'workflow code is replayed in a sandbox: no system, no configuration, no zod in its bundle',
  },
  system: {
    may: new RegExp(`^(contracts/|system/|node:|(${packages('pino', 'ssh2', 'nodemailer')})$)`),
    because: 'it must work in a rescue shell, without Temporal and without a configuration',
  },
  activities: {
    may: /^(contracts\/|system\/|config\/lookup\.js|activities\/|node:(path|crypto)$)/,
    mayAsType: /^config\//,
    because: 'drivers are used by rescue too: no workflows, no client; only system/ touches the machine',
  },
  config: {
    may: new RegExp(
      `^(contracts/|config/|node:(fs|path|os|url)|(${packages('zod', 'yaml', 'ms', 'leven', 'cron-parser')})$)`,
    ),
    because: 'checking a file must not load the engine',
  },
  schedules: {
    may: new RegExp(
      `^(contracts/|config/|schedules/|node:|(${packages('@temporalio/client', '@temporalio/common', '@temporalio/envconfig')})(/|$))`,
    ),
    because: 'it compares and applies; it runs nothing',
  },
  workers: {
    may: /^(contracts|config|schedules|system|activities|workers|workflows)\/|^node:|^@temporalio\/(worker|client|testing|common)(\/|$)/,
    because: 'they wire the rooms together; the command line is above them',
  },
  cli: {
    may: /^(contracts|config|schedules|cli)\/|^node:|^@temporalio\/(client|common)|^(commander|picocolors|cli-progress|cli-table3|pretty-bytes|leven|ms|zod)$/,
    mayAsType: /^(workflows|workers|system)\//,
    because: 'it asks Temporal; the machine is reached through workers alone',
  },
};

/** What stands apart from a room's rule, each with its reason. */
const exceptions: Record<string, RegExp> = {
  // The one door to Temporal's activity context.
  'activities/run.ts': /^@temporalio\/activity$/,
  // Only these three start processes of the engine.
  'cli/commands/up.ts': /^workers\/up\.js$/,
  'cli/commands/worker.ts': /^workers\/processes\.js$/,
  'cli/commands/orchestrator.ts': /^workers\/processes\.js$/,
  // Without Temporal the doctor still looks at the machine it is started on.
  'cli/doctor/here.ts': /^(system\/local-host|activities\/doctor\/machine)\.js$/,
  // Init looks at a machine that has no configuration and so no worker that could be asked.
  'cli/init/machine.ts': /^system\/(environment|files|local-host)\.js$/,
  'cli/init/look.ts': /^activities\/restic\/parse\.js$/,
  // Rescue must work when the engine is gone: it puts the drivers together by itself.
  'cli/rescue/open.ts': /^system\/(local-host|log|redact)\.js$|^activities\/door\.js$/,
  'cli/rescue/rescue.ts': /^activities\/restic\//,
  'cli/rescue/restore.ts': /^activities\/restic\//,
  'cli/rescue/snapshots.ts': /^activities\/restic\//,
  'cli/rescue/zfs-open.ts':
    /^system\/(local-host|log|ssh-host|ssh-machine)\.js$|^activities\/(zfs\/|door\.js$)/,
  'cli/rescue/zfs-ssh.ts': /^system\/(ssh-target|sha256)\.js$/,
  'cli/rescue/zfs-replicas.ts': /^activities\/zfs\//,
  'cli/rescue/zfs-send.ts': /^activities\/(zfs\/|door\.js$|host\/evidence\.js$)/,
  'cli/rescue/zfs-restore.ts': /^activities\/(zfs\/|host\/evidence\.js$)/,
};

interface Import {
  file: string;
  target: string;
  typeOnly: boolean;
}

const importForm =
  /^\s*(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'|^\s*import\s+'([^']+)'|\bimport\('([^']+)'\)/gm;

function sourceFiles(room: string): string[] {
  const folder = join(repositoryRoot, room);
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}

function importsOf(path: string): Import[] {
  const file = relative(repositoryRoot, path);
  return [...readFileSync(path, 'utf8').matchAll(importForm)].map(([, type, from, bare, dynamic]) => {
    const name = from ?? bare ?? dynamic ?? '';
    const target = name.startsWith('.') ? relative(repositoryRoot, resolve(dirname(path), name)) : name;
    return { file, target, typeOnly: type !== undefined };
  });
}

for (const [room, rule] of Object.entries(rules)) {
  test(`${room} imports only what its rule allows, because ${rule.because}`, () => {
    const imports = sourceFiles(room).flatMap(importsOf);
    assert(
      imports.length > 0 || room === 'contracts',
      `no imports were found in ${room}: is the form of imports new?`,
    );
    const broken = imports.filter(({ file, target, typeOnly }) => {
      if (rule.may.test(target) || exceptions[file]?.test(target)) return false;
      return !(typeOnly && rule.mayAsType?.test(target));
    });
    assert.deepEqual(
      broken.map(({ file, target }) => `${file} imports ${target}`),
      [],
    );
  });
}

test('only system/ starts processes', () => {
  const rooms = Object.keys(rules).filter((room) => room !== 'system');
  const imports = rooms.flatMap(sourceFiles).flatMap(importsOf);
  const starting = imports.filter(({ target }) => /child_process|execa|cluster|worker_threads/.test(target));
  assert.deepEqual(
    starting.map(({ file }) => file),
    [],
  );
});

test('workflow code keeps no state between runs: the sandbox is shared', () => {
  const mutable = sourceFiles('workflows').filter((path) =>
    /^(export )?let /m.test(readFileSync(path, 'utf8')),
  );
  assert.deepEqual(mutable, []);
});

test('the bundle of the workflows holds no library that does not belong there', () => {
  const bundle = join(repositoryRoot, 'dist/workflow-bundle.js');
  assert(existsSync(bundle), 'npm run build makes it');
  // The SDK alone is 1.63 MB, our procedures 0.7 MB; zod by mistake would add 1 to 2.7 MB.
  assert(statSync(bundle).size < 2_500_000, `${statSync(bundle).size} bytes`);
});

test('every workflow type has a checked-in history that is replayed', () => {
  const index = readFileSync(join(repositoryRoot, 'workflows/index.ts'), 'utf8');
  const types = [...index.matchAll(/export \{ (\w+) \}/g)].map(([, name]) => name ?? '');
  assert(types.length > 0);
  const recorded = existsSync(join(repositoryRoot, 'test/histories'))
    ? readdirSync(join(repositoryRoot, 'test/histories'))
    : [];
  assert.deepEqual(
    types.filter((type) => !recorded.includes(type)),
    [],
  );
});

test('all Temporal packages have the same exact version', () => {
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(join(repositoryRoot, 'package.json'), 'utf8'),
  );
  const all = Object.entries<string>({ ...dependencies, ...devDependencies });
  const versions = new Set(
    all.filter(([name]) => name.startsWith('@temporalio/')).map(([, version]) => version),
  );
  assert.equal(versions.size, 1, [...versions].join(', '));
  const inexact = all.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
  assert.deepEqual(inexact, []);
});

test('no file is longer than 250 lines', () => {
  const long = [...Object.keys(rules), 'lab']
    .flatMap(sourceFiles)
    .filter((path) => readFileSync(path, 'utf8').split('\n').length > 251)
    .map((path) => relative(repositoryRoot, path));
  assert.deepEqual(long, []);
});
