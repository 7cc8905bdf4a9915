import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '../../config/load.js';
import { searchAttributes } from '../../contracts/names.js';
import { onPath } from '../../lab/places.js';
import { needs } from '../support/needs.js';
import { repositoryRoot } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';
import { makeAuthority } from './certificates.js';
import { read } from './compose.js';

const folder = join(repositoryRoot, 'deploy/temporal');
const scripts = readdirSync(folder).filter((name) => name.endsWith('.sh'));

test('every script is POSIX shell that stops at the first error', () => {
  assert.ok(scripts.length >= 3);
  for (const name of scripts) {
    execFileSync('sh', ['-n', join(folder, name)]);
    const text = read('deploy/temporal', name);
    assert.match(text, /^#!\/bin\/sh\n/, name);
    assert.match(text, /^set -eu$/m, name);
  }
});

test('shellcheck finds nothing', {
  skip: onPath('shellcheck') === undefined && 'needs shellcheck (package shellcheck)',
}, () => {
  const { status, stdout } = spawnSync(
    'shellcheck',
    scripts.map((name) => join(folder, name)),
    {
      encoding: 'utf8',
    },
  );
  assert.equal(status, 0, stdout);
});

const typeNames = { KEYWORD: 'Keyword', INT: 'Int', DATETIME: 'Datetime' } as const;

test('the namespace script makes what the code wants: the same name, 90 days, the same search attributes', () => {
  const text = read('deploy/temporal/namespace.sh');
  const listed = text.match(/^Hf\w+=\w+$/gm) ?? [];
  const wanted = Object.entries(searchAttributes).map(([name, type]) => `${name}=${typeNames[type]}`);
  assert.deepEqual(listed, wanted);
  assert.equal(Number(/^retention=(\d+)h/m.exec(text)?.[1]), 90 * 24);
  const { config } = parseConfig(read('config/examples/minimal.yaml'), 'minimal.yaml');
  assert.equal(/HOLDFAST_NAMESPACE:-(\w+)/.exec(text)?.[1], config?.temporal.namespace);
});

test('the schema script refuses a password that Temporal would spoil, and does not repeat it', () => {
  for (const password of ['two words', "rock'n'tide", 'a@b:c/d', 'šalupa']) {
    const { status, stdout, stderr } = spawnSync('sh', [join(folder, 'schema.sh')], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin', SQL_HOST: 'nowhere', SQL_USER: 'temporal', SQL_PASSWORD: password },
    });
    assert.equal(status, 2);
    assert.match(stderr, /letters and digits/);
    assert.ok(!`${stdout}${stderr}`.includes(password));
  }
});

test('certificates: keys are for their owner alone, nothing is written over, strange names are refused', {
  skip: needs('openssl'),
}, () => {
  const authority = makeAuthority('scripts');
  const nas = authority.client('nas');
  for (const key of [nas.key, authority.server.key, join(authority.folder, 'ca-key.pem')])
    assert.equal(statSync(key).mode & 0o777, 0o600, key);
  const before = readFileSync(nas.key, 'utf8');
  const run = (...args: string[]) =>
    spawnSync('sh', [join(folder, 'certificates.sh'), ...args], { encoding: 'utf8' });
  assert.match(run(authority.folder, 'client', 'nas').stderr, /is there already/);
  assert.equal(readFileSync(nas.key, 'utf8'), before);
  for (const name of ['server', 'ca', '../nas', '-x', 'a b', "'"])
    assert.equal(run(authority.folder, 'client', name).status, 2, name);
  assert.equal(run(temporaryFolder('usage')).status, 2);
});

test('certificates: a server has the names and addresses that were given', { skip: needs('openssl') }, () => {
  const place = temporaryFolder('names');
  const names = ['nas.lan', '192.0.2.7', 'fd00::7', '4server.lan'];
  execFileSync('sh', [join(folder, 'certificates.sh'), place, 'server', ...names], { stdio: 'ignore' });
  const text = execFileSync(
    'openssl',
    ['x509', '-in', join(place, 'server.pem'), '-noout', '-ext', 'subjectAltName,extendedKeyUsage'],
    { encoding: 'utf8' },
  );
  for (const wanted of [
    'DNS:temporal',
    'DNS:nas.lan',
    'IP Address:192.0.2.7',
    'IP Address:FD00:0:0:0:0:0:0:7',
    'DNS:4server.lan',
  ])
    assert.ok(text.includes(wanted), `${wanted} in ${text}`);
});
