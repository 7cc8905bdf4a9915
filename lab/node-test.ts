import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { repositoryRoot } from '../test/support/root.js';
import type { TestResult } from './results-reporter.js';
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
  /** Ends with the files that took longest. */
  tellsSlowest?: boolean;
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
  const resultsFile = join(folder, 'results.jsonl');
  mkdirSync(join(folder, 'state'));
  const args = [
    '--test',
    `--test-concurrency=${run.concurrency}`,
    `--test-timeout=${run.timeoutMs}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${join(repositoryRoot, 'dist/lab/results-reporter.js')}`,
    `--test-reporter-destination=${resultsFile}`,
    ...run.files.map((file) => join(repositoryRoot, 'dist/test', file)),
  ];
  try {
    const ok = await runChild(run, args, testEnvironment(run, folder));
    const results = existsSync(resultsFile) ? readResults(resultsFile) : [];
    if (run.tellsSlowest) console.log(`\ntests: the slowest files\n${slowestFiles(results).join('\n')}`);
    return { ok, skipped: results.flatMap(({ name, skipped }) => (skipped ? [`${name}: ${skipped}`] : [])) };
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

/** A runner that was killed leaves a last line that is cut. */
const readResults = (file: string): TestResult[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

const shownFiles = 25;

/** The outermost tests of each file together: what to look at when the whole gets long. */
function slowestFiles(results: readonly TestResult[]): string[] {
  const secondsOf = new Map<string, number>();
  for (const { file, nesting, seconds } of results)
    if (nesting === 0) secondsOf.set(file, (secondsOf.get(file) ?? 0) + seconds);
  const slowest = [...secondsOf].sort(([, one], [, other]) => other - one).slice(0, shownFiles);
  return slowest.map(
    ([file, seconds]) =>
      `${seconds.toFixed(1).padStart(8)} s  ${relative(join(repositoryRoot, 'dist/test'), file)}`,
  );
}
