import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repositoryRoot } from '../support/root.js';
import { compose, read } from './compose.js';
import { contextEntries, type Instruction, inherited, stage, stagesOf } from './image.js';

const last = (all: Instruction[], word: string): string | undefined =>
  all.filter((one) => one.word === word).at(-1)?.rest;
const node = /^ARG NODE_IMAGE=(\S+)$/m.exec(read('Dockerfile'))?.[1] ?? '';

test('the image is made from an exact Node on Debian', () => {
  assert.match(node, /^node:(20|22|24)\.\d+\.\d+-\w+-slim$/);
  for (const { from } of stagesOf()) assert.match(from, /^(\$\{NODE_IMAGE\}|base)$/);
  assert.doesNotMatch(read('Dockerfile').replaceAll(/^#.*$/gm, ''), /latest|alpine|musl/);
});

test('a build without a target makes the one without rights', () => {
  assert.equal(stagesOf().at(-1)?.name, 'orchestrator');
  assert.equal(compose().services.orchestrator?.build?.target, 'orchestrator');
});

test('the orchestrator runs as a plain user, the worker says that it is root', () => {
  assert.equal(last(inherited('orchestrator'), 'USER'), 'node');
  assert.equal(last(stage('worker').instructions, 'USER'), 'root');
  assert.match(read('Dockerfile'), /^# .*runs as root: .*\n(# .*\n)*FROM base AS worker$/m);
});

for (const name of ['worker', 'orchestrator']) {
  test(`${name}: SIGTERM arrives, and its health is looked at`, () => {
    const all = inherited(name);
    assert.equal(last(all, 'STOPSIGNAL'), 'SIGTERM');
    // A shell in front would keep the signal for itself.
    for (const word of ['ENTRYPOINT', 'CMD']) assert.match(last(all, word) ?? '', /^\[".*"\]$/, word);
    const [, command = '[]'] = /CMD (\[.*\])$/.exec(last(all, 'HEALTHCHECK') ?? '') ?? [];
    const [program, script = '', role] = JSON.parse(command) as string[];
    assert.deepEqual([program, role], ['node', name]);
    assert.ok(existsSync(join(repositoryRoot, script.replace('/opt/holdfast/', ''))), script);
  });
}

test('the worker brings restic and what restores need to compare attributes', () => {
  const installed = stage('worker')
    .instructions.map(({ rest }) => rest)
    .join(' ');
  for (const name of ['restic', 'util-linux', 'fuse3', 'attr', 'tar', 'openssh-client', 'ca-certificates'])
    assert.match(installed, new RegExp(` ${name} `), name);
});

test('nothing of a workshop is in the image, and nothing of a house', () => {
  const runs = stage('build').instructions.filter(({ word }) => word === 'RUN');
  const words = runs.map(({ rest }) => rest).join('\n');
  assert.match(words, /^npm ci$/m);
  assert.match(words, /npm prune --omit=dev/);
  assert.match(words, /core-bridge\/releases/);
  assert.equal(read('.dockerignore').split('\n')[0], '*');
  for (const path of contextEntries()) {
    assert.ok(existsSync(path), path);
    assert.doesNotMatch(path, /\.env|\.git$|node_modules|\.key|holdfast\.yaml/);
  }
});
