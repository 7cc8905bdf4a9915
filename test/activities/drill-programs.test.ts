import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentOf, scratchFile } from '../../activities/doctor/drill-programs.js';
import type { Stage } from '../../activities/doctor/drill-stage.js';
import { parseConfig } from '../../config/load.js';
import { ConfigFile } from '../../config/schema.js';
import { childEnvironment } from '../../system/environment.js';

/** What the engine of a drill is told: enough for a copy of its own, nothing that leads to the estate. */

const estate = ConfigFile.parse({
  temporal: { address: 'temporal.lan:7233', namespace: 'estate' },
  hosts: { nas: { tools: { restic: '/opt/restic' }, hooks: { stop: { run: ['/bin/false'] } } } },
  resources: {
    photos: { host: 'nas', directory: '/scratch/source', marker: '.holdfast', least: { files: 1 } },
    other: { host: 'nas', directory: '/srv/other' },
  },
  stores: {
    b2: {
      restic: {
        repository: 's3:https://s3.example.com/bucket',
        password: { file: '/etc/holdfast/b2.key' },
        env: { AWS_SECRET_ACCESS_KEY: { file: '/etc/holdfast/b2.secret' } },
      },
    },
  },
  jobs: {
    nightly: {
      kind: 'restic-backup',
      resources: ['photos', 'other'],
      store: 'b2',
      schedule: { cron: '30 3 * * *' },
      keep: { last: 1 },
      prune: { cron: '0 6 * * *' },
    },
  },
});

const stage = {
  tools: { config: estate, host: { name: 'nas' } },
  place: { job: 'nightly', resource: 'photos', store: 'b2', folder: '/scratch' },
  source: '/scratch/source',
  repository: '/scratch/repository',
  key: '/scratch/key',
} as unknown as Stage;

const settings = {
  restic: '/scratch/programs/restic',
  idle: 'drill-engine',
  ports: { port: 40001, uiPort: 40002 },
};

test('the scratch file passes the check, and leads to the scratch folder and this machine alone', () => {
  const text = JSON.stringify(scratchFile(stage, settings));
  const { config, mistakes } = parseConfig(text, '/scratch/holdfast.yaml');
  assert.deepEqual(mistakes, []);
  assert(config);
  assert.equal(config.temporal.address, undefined);
  assert.equal(config.temporal.namespace, 'holdfast-drill');
  assert.deepEqual(config.temporal.embedded, settings.ports);
  assert.equal(config.hosts.nas?.tools.restic, settings.restic);
  assert.equal(config.resources.photos?.marker, '.holdfast');
  for (const real of [
    'temporal.lan',
    's3:',
    '/etc/',
    '/srv/',
    'other',
    '/bin/false',
    'cron',
    'keep',
    'prune',
  ])
    assert(!text.includes(real), real);
});

test('no variable of the estate reaches the scratch engine', () => {
  const before = { ...process.env };
  const ofTheEstate = {
    TEMPORAL_ADDRESS: 'temporal.lan:7233',
    TEMPORAL_API_KEY: 'secret',
    TEMPORAL_NAMESPACE: 'estate',
    HOLDFAST_CONFIG: '/etc/holdfast/holdfast.yaml',
    HOLDFAST_STATE: '/var/lib/holdfast',
    HOLDFAST_TEMPORAL_BIN: '/usr/bin/temporal',
    AWS_SECRET_ACCESS_KEY: 'secret',
    RESTIC_PASSWORD: 'secret',
    XDG_CONFIG_HOME: '/home/estate/.config',
    HOME: '/home/estate',
    SSH_AUTH_SOCK: '/run/agent',
  };
  Object.assign(process.env, ofTheEstate);
  try {
    const env = childEnvironment(
      environmentOf('/scratch', '/scratch/holdfast.yaml', '/scratch/programs/temporal'),
    );
    const leaked = Object.entries(ofTheEstate).filter(([name, value]) => env[name] === value);
    assert.deepEqual(leaked, []);
    const named = Object.keys(env).filter((name) => /^(HOLDFAST|TEMPORAL)_/.test(name));
    assert.deepEqual(named.sort(), ['HOLDFAST_CONFIG', 'HOLDFAST_STATE', 'HOLDFAST_TEMPORAL_BIN']);
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
});
