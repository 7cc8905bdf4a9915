import assert from 'node:assert/strict';
import { renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HoldfastError } from '../../contracts/errors.js';
import { watchConfig } from '../../workers/config-source.js';
import { temporaryFolder } from '../support/temp.js';

const text = (host: string): string => `hosts: { ${host}: {} }\n`;
const isInvalid = (error: unknown): boolean =>
  error instanceof HoldfastError && error.code === 'HF_CONFIG_INVALID';

test('a configuration that is gone for a moment, as some editors save, is the known one until it settles', () => {
  const file = join(temporaryFolder(), 'holdfast.yaml');
  let nowMs = Date.now();
  const config = watchConfig(file, () => new Date(nowMs));
  assert.throws(config, isInvalid, 'there never was one');
  writeFileSync(file, text('nas'));
  const hosts = (): string[] => Object.keys(config().hosts);
  assert.deepEqual(hosts(), ['nas']);
  unlinkSync(file);
  assert.deepEqual(hosts(), ['nas']);
  nowMs += 4_000;
  assert.deepEqual(hosts(), ['nas']);
  nowMs += 2_000;
  assert.throws(config, isInvalid, 'it stays away');
  writeFileSync(`${file}.new`, text('attic'));
  renameSync(`${file}.new`, file);
  assert.deepEqual(hosts(), ['attic']);
  unlinkSync(file);
  assert.deepEqual(hosts(), ['attic'], 'the time begins anew');
});

test('a configuration that is broken for longer than a moment is a mistake with its place', () => {
  const file = join(temporaryFolder(), 'holdfast.yaml');
  let nowMs = Date.now();
  const config = watchConfig(file, () => new Date(nowMs));
  writeFileSync(file, text('nas'));
  config();
  writeFileSync(file, 'hosts: [');
  assert.deepEqual(Object.keys(config().hosts), ['nas']);
  nowMs += 10_000;
  assert.throws(config, isInvalid);
});
