import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { repositoryRoot } from '../test/support/root.js';
import { endLeftovers, unmountBelow } from './sweep.js';

export interface NodeTestRun {
  /** Relative to dist/test. */
  files: readonly string[];
  /** Default: the Node that runs this. Whatever a test starts by the name "node" is this one as well. */
  node?: string | undefined;
  /** One restic instead of all that are here. */
  oneRestic?: boolean;
  concurrency: number;
  /** For each file, also the bound of a test that hangs. */
  timeoutMs: number;
  /** For the whole of it; then it is ended and counts as failed. */
  endsWithinMs: number;
}

export interface NodeTestOutcome {
  ok: boolean;
  /** Names and reasons of the tests that were skipped. */
  skipped: string[];
}

/** One `node --test` with its own words on our output. Everything that a test leaves lies in a folder that is removed. */
export async function runNodeTest(run: NodeTestRun): Promise<NodeTestOutcome> {
  // Below /tmp whatever TMPDIR says: a restore may only write there.
  const folder = mkdtempSync('/tmp/holdfast-tests-');
  // As /tmp itself: tests also run tools as a plain user, with files of their own.
  chmodSync(folder, 0o1777);
  const tap = join(folder, 'results.tap');
  mkdirSync(join(folder, 'state'));
  const args = [
    '--test',
    `--test-concurrency=${run.concurrency}`,
    `--test-timeout=${run.timeoutMs}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${tap}`,
    ...run.files.map((file) => join(repositoryRoot, 'dist/test', file)),
  ];
  try {
    const ok = await runChild(run, args, testEnvironment(run, folder));
    return { ok, skipped: existsSync(tap) ? skippedIn(readFileSync(tap, 'utf8')) : [] };
  } finally {
    for (const words of endLeftovers(folder)) console.error(`tests: left running, ended now: ${words}`);
    unmountBelow(folder);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A test that forgets to say where its state is must not meet the state of this machine. */
function testEnvironment({ node, oneRestic }: NodeTestRun, folder: string): NodeJS.ProcessEnv {
  const { HOLDFAST_CONFIG: _config, NODE_TEST_CONTEXT: _context, PATH = '', ...rest } = process.env;
  return {
    ...rest,
    PATH: node ? `${dirname(node)}${delimiter}${PATH}` : PATH,
    ...(oneRestic ? { HOLDFAST_ONE_RESTIC: '1' } : {}),
    TMPDIR: folder,
    HOLDFAST_STATE: join(folder, 'state'),
    NO_COLOR: '1',
  };
}

async function runChild(run: NodeTestRun, args: string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  const child = spawn(run.node ?? process.execPath, args, {
    cwd: repositoryRoot,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const timer = setTimeout(() => {
    console.log(`tests: not done within ${Math.round(run.endsWithinMs / 60_000)} minutes: ended`);
    child.kill('SIGTERM');
  }, run.endsWithinMs);
  // Asked to end, we end the tests and still clean up behind them.
  const end = () => void child.kill('SIGTERM');
  process.once('SIGINT', end).once('SIGTERM', end);
  const [code] = await once(child, 'exit');
  process.off('SIGINT', end).off('SIGTERM', end);
  clearTimeout(timer);
  return code === 0;
}

function skippedIn(tap: string): string[] {
  const form = /^\s*ok \d+ - (.*) # SKIP ?(.*)$/;
  return tap.split('\n').flatMap((line) => {
    const [, name, reason] = form.exec(line) ?? [];
    return name === undefined ? [] : [`${name}: ${reason || 'no reason given'}`];
  });
}
