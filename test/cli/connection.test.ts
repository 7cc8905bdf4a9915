import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { parseConfig } from '../../config/load.js';
import type { Config } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import { resolveConnection } from '../../schedules/connection.js';
import { temporaryFolder } from '../support/temp.js';

const configOf = (temporal: string): Config => {
  const { config } = parseConfig(`temporal: ${temporal}\nhosts: { nas: {} }\n`, 'holdfast.yaml');
  assert.ok(config);
  return config;
};
const names = Object.keys(process.env).filter((name) => name.startsWith('TEMPORAL_'));
for (const name of names) delete process.env[name];
// A profile of whoever runs the tests must not be read.
const noProfile = join(temporaryFolder(), 'none.toml');

describe('where Temporal is', () => {
  const withEnvironment = (variables: Record<string, string>, temporal: string) => {
    Object.assign(process.env, { TEMPORAL_CONFIG_FILE: noProfile, ...variables });
    return resolveConnection(configOf(temporal));
  };
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_')) delete process.env[name];
  });

  test('is the embedded server when nothing else is said', () => {
    const { address, namespace, tls } = withEnvironment({}, '{ embedded: { port: 7999 } }');
    assert.equal(address, '127.0.0.1:7999');
    assert.equal(namespace, 'holdfast');
    assert.equal(tls, undefined);
  });

  test('is what the environment of the SDK says, where the file names no address', () => {
    const variables = { TEMPORAL_ADDRESS: 'cluster.lan:7233', TEMPORAL_NAMESPACE: 'home' };
    const { address, namespace } = withEnvironment(variables, '{}');
    assert.equal(address, 'cluster.lan:7233');
    assert.equal(namespace, 'home');
  });

  test('is the address of the file before that of the environment', () => {
    const { address } = withEnvironment({ TEMPORAL_ADDRESS: 'other:1' }, '{ address: "cluster.lan:7233" }');
    assert.equal(address, 'cluster.lan:7233');
  });

  test('is spoken to over TLS as soon as there is an API key', () => {
    const { apiKey, tls } = withEnvironment({ TEMPORAL_API_KEY: 'key' }, '{ address: "cluster.lan:7233" }');
    assert.equal(apiKey, 'key');
    assert.equal(tls, true);
  });

  test('cannot be told from a profile file that is broken, which is a mistake of the configuration', () => {
    const broken = join(temporaryFolder(), 'broken.toml');
    writeFileSync(broken, '[profile.default]\napi_key = "very-secret"\naddress = \n');
    assert.throws(
      () => withEnvironment({ TEMPORAL_CONFIG_FILE: broken }, '{}'),
      (error) =>
        error instanceof HoldfastError &&
        error.code === 'HF_CONFIG_INVALID' &&
        !error.message.includes('very-secret'),
    );
  });
});
