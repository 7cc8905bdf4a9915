import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import ms, { type StringValue } from 'ms';
import { parse } from 'yaml';
import { onPath, versions } from '../../lab/places.js';
import { shutdownLimits } from '../../workers/drain.js';
import { serverArguments } from '../../workers/server.js';
import { repositoryRoot } from '../support/root.js';
import { type Compose, compose, composeForTls, environmentOf, read } from './compose.js';

const services = Object.entries(compose().services);
const oneShots = ['temporal-schema', 'temporal-namespace'];
const tagOf = (service: string): string => compose().services[service]?.image?.split(':')[1] ?? '';

test('every image has an exact version, and none is one that its makers have given up', () => {
  for (const [name, { image }] of services) {
    assert.match(image ?? '', /^[a-z0-9/-]+:\d+\.\d+(\.\d+)?(-bookworm)?$/, name);
    assert.doesNotMatch(image ?? '', /auto-setup|\/base-|admin-tools:1\.2|docker-builds/, name);
  }
});

test('schema, namespace and server are of one version, and like the Web UI the one that the full tests run', () => {
  for (const name of ['temporal', ...oneShots]) assert.equal(`v${tagOf(name)}`, versions.cluster, name);
  assert.equal(`v${tagOf('temporal-ui')}`, versions.webUi);
});

test('every published port is on loopback', () => {
  const ports = services.flatMap(([, service]) => service.ports ?? []);
  assert.ok(ports.length > 0);
  for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/);
  assert.equal(compose().services.postgresql?.ports, undefined);
});

test('another address is published only where the server asks for certificates', () => {
  for (const [name, service] of Object.entries(composeForTls().services)) {
    if (!service.ports) continue;
    assert.equal(service.environment?.TEMPORAL_TLS_REQUIRE_CLIENT_AUTH, 'true', name);
    // Without a default: the operator names the address.
    for (const port of service.ports) assert.match(port, /^\$\{HOLDFAST_LISTEN:\?[^}]*\}:7233:7233$/);
  }
});

test('everybody who speaks to the server shows a certificate when it asks for one', () => {
  for (const [name, { environment = {} }] of services) {
    if (!environment.TEMPORAL_ADDRESS) continue;
    const { TEMPORAL_TLS_CLIENT_CERT_PATH, TEMPORAL_TLS_CERT } = environmentOf(name, { tls: true });
    assert.ok(TEMPORAL_TLS_CLIENT_CERT_PATH ?? TEMPORAL_TLS_CERT, name);
    assert.ok(composeForTls().services[name]?.volumes?.some((volume) => String(volume).endsWith(':/tls:ro')));
  }
});

test('the database is in a volume with a name', () => {
  assert.deepEqual(Object.keys(compose().volumes ?? {}), ['postgresql']);
  assert.deepEqual(compose().services.postgresql?.volumes, ['postgresql:/var/lib/postgresql/data']);
  for (const [name, { volumes }] of services)
    for (const volume of volumes ?? [])
      if (typeof volume === 'string') assert.ok(volume.includes(':'), `${name}: ${volume} has no name`);
});

test('the password has no default', () => {
  const named = read('docker-compose.yml').match(/PASSWORD: .*|_PWD: .*/g) ?? [];
  assert.equal(named.length, 3);
  for (const line of named) assert.match(line, /: \$\{POSTGRES_PASSWORD:\?[^}]*\}$/);
  assert.match(read('.gitignore'), /^\.env$/m);
});

test('the schema comes before the server, the namespace before the orchestrator', () => {
  const after = (service: string) => compose().services[service]?.depends_on;
  assert.equal(after('temporal-schema')?.postgresql?.condition, 'service_healthy');
  assert.equal(after('temporal')?.['temporal-schema']?.condition, 'service_completed_successfully');
  assert.equal(after('temporal-namespace')?.temporal?.condition, 'service_healthy');
  assert.equal(after('orchestrator')?.['temporal-namespace']?.condition, 'service_completed_successfully');
  for (const name of ['postgresql', 'temporal']) assert.ok(compose().services[name]?.healthcheck, name);
});

test('what must run is started again after a reboot, what runs once is not', () => {
  for (const [name, { restart }] of services)
    assert.equal(restart, oneShots.includes(name) ? 'on-failure:5' : 'unless-stopped', name);
});

test('Terminate is off in the Web UI, and it asks nobody outside for news', () => {
  const ui = environmentOf('temporal-ui', { tls: false });
  assert.equal(ui.TEMPORAL_WORKFLOW_TERMINATE_DISABLED, 'true');
  assert.equal(ui.TEMPORAL_BATCH_ACTIONS_DISABLED, 'true');
  assert.equal(ui.TEMPORAL_DISABLE_NEWS_FETCH, 'true');
});

test('the server is given the same dynamic configuration as the embedded one', () => {
  const temporal = { embedded: { port: 1, uiPort: 2 }, namespace: 'x', deadHostAfter: 1 };
  const args = serverArguments({ temporal }, 'file');
  const wanted = args[args.indexOf('--dynamic-config-value') + 1]?.split('=') ?? [];
  const given = parse(read('deploy/temporal/dynamic-config.yaml')) as Record<string, { value: unknown }[]>;
  assert.deepEqual(
    Object.entries(given).map(([name, [first]]) => [name, String(first?.value)]),
    [wanted],
  );
  const path = environmentOf('temporal', { tls: false }).DYNAMIC_CONFIG_FILE_PATH ?? '';
  assert.equal(path, '/deploy/dynamic-config.yaml');
});

test('every file of ours that a service is given is there', () => {
  for (const [name, { volumes, entrypoint }] of services) {
    for (const volume of volumes ?? [])
      if (typeof volume === 'string' && volume.startsWith('./'))
        assert.ok(existsSync(join(repositoryRoot, volume.split(':')[0] ?? '')), `${name}: ${volume}`);
    for (const word of entrypoint ?? [])
      if (word.startsWith('/deploy/'))
        assert.ok(existsSync(join(repositoryRoot, 'deploy/temporal', word.slice(8))), `${name}: ${word}`);
  }
});

test('the orchestrator has longer to end than it takes', () => {
  const grace = ms((compose().services.orchestrator?.stop_grace_period ?? '') as StringValue);
  assert.ok(grace > ms(shutdownLimits.shutdownForceTime), `${grace} ms`);
});

const hasCompose =
  onPath('docker') !== undefined &&
  spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0;

test('Docker reads both files', { skip: !hasCompose && 'needs Docker with its compose plugin' }, () => {
  const files = ['-f', 'docker-compose.yml', '-f', 'deploy/docker-compose.mtls.yml'];
  const { status, stdout, stderr } = spawnSync(
    'docker',
    ['compose', ...files, 'config', '--format', 'json'],
    {
      cwd: repositoryRoot,
      encoding: 'utf8',
      env: {
        ...process.env,
        POSTGRES_PASSWORD: 'x',
        HOLDFAST_CONFIG: '/etc/holdfast/holdfast.yaml',
        HOLDFAST_TLS: '/etc/holdfast/tls',
        HOLDFAST_LISTEN: '192.0.2.1',
      },
    },
  );
  assert.equal(status, 0, stderr);
  assert.deepEqual(
    Object.keys((JSON.parse(stdout) as Compose).services).sort(),
    services.map(([name]) => name).sort(),
  );
});
