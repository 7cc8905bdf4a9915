import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { repositoryRoot } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';
import { contextEntries, stage } from './image.js';

/** What the Dockerfile does, without Docker: its own commands, in a folder that holds only what the build's context holds. */

const root = '/opt/holdfast';

function runBuildStage(folder: string): void {
  for (const path of contextEntries()) cpSync(path, join(folder, basename(path)), { recursive: true });
  for (const { word, rest } of stage('build').instructions)
    if (word === 'RUN')
      execFileSync('sh', ['-c', rest], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

function copyIntoImage(from: string, to: string): void {
  for (const { word, rest } of stage('base').instructions) {
    const [, source, target] = /^--from=build (\S+) (\S+)$/.exec(word === 'COPY' ? rest : '') ?? [];
    if (source === undefined || target === undefined) continue;
    const into = target.endsWith('/') ? join(to, target, basename(source)) : join(to, target);
    cpSync(source.replace(root, from), into, { recursive: true });
  }
}

test('the commands of the Dockerfile leave a Holdfast that starts, without tests, tools and foreign binaries', () => {
  const folder = temporaryFolder('image');
  const build = join(folder, 'build');
  const image = join(folder, 'image');
  mkdirSync(build);
  mkdirSync(image);
  runBuildStage(build);
  copyIntoImage(build, image);
  const holdfast = (...args: string[]) =>
    execFileSync(process.execPath, [join(image, 'bin/holdfast.js'), ...args], {
      encoding: 'utf8',
      cwd: folder,
    });
  assert.match(holdfast('--version'), /^\d+\.\d+\.\d+/);
  const example = join(repositoryRoot, 'config/examples/minimal.yaml');
  execFileSync(process.execPath, [join(image, 'bin/holdfast.js'), 'check', '--config', example], {
    stdio: 'ignore',
    cwd: folder,
  });
  assert.equal(readdirSync(join(image, 'node_modules/@temporalio/core-bridge/releases')).length, 1);
  for (const gone of ['dist/test', 'dist/lab', 'node_modules/typescript', 'node_modules/@temporalio/testing'])
    assert.ok(!existsSync(join(image, gone)), gone);
  // The parts that a worker and an orchestrator load: all of their packages must have stayed.
  for (const module of ['workers/processes.js', 'workers/health.js', 'cli/commands/worker.js'])
    execFileSync(process.execPath, ['-e', `import(${JSON.stringify(join(image, 'dist', module))})`], {
      cwd: folder,
    });
  assert.ok(existsSync(join(image, 'dist/workflow-bundle.js')));
});
