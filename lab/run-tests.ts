import { parseArgs } from 'node:util';
import { type NodeTestOutcome, runNodeTest } from './node-test.js';
import { ensureNode } from './parts/node.js';
import { nodePath, versions } from './places.js';
import { setUp } from './setup.js';
import { allTestFiles, byHardness, type Selection, select } from './test-files.js';
import { downIfUnused, sharedPair } from './zfs/pair.js';
import { enter, leave } from './zfs/users.js';

const minutes = (count: number): number => count * 60_000;

/** `npm test`: everything but the full cases, in one go, ending with the summary of node's own runner. */
async function runDefault(node?: string): Promise<boolean> {
  await setUp({ zfsHosts: true });
  console.log(
    'tests: the suites of restic with one restic; with 0.18 as well, and the *.full cases, in npm run test:full',
  );
  const { ok } = await runNodeTest({
    files: select(allTestFiles(), 'default'),
    node,
    oneRestic: true,
    tellsSlowest: values.slowest,
    // More than there are processors: what is killed and what is far away is mostly waited for.
    concurrency: 3,
    timeoutMs: minutes(10),
    // Wanted are 20 minutes on a quiet machine; a busy one is no failure.
    endsWithinMs: minutes(45),
  });
  return ok;
}

/** `npm run test:fast`: nothing is installed, no server is started, no root is needed. */
async function runFast(node?: string): Promise<NodeTestOutcome> {
  const files = select(allTestFiles(), 'fast');
  return await runNodeTest({ files, node, concurrency: 2, timeoutMs: minutes(1), endsWithinMs: minutes(3) });
}

function fullMinutes(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new Error(`"${text}" is no number of minutes: say --minutes 60`);
  return Number(text);
}

interface Phase {
  name: string;
  /** Is worth starting only when so much time is left; without it there must be time for it. */
  needsMs?: number;
  run: (endsWithinMs: number) => Promise<NodeTestOutcome>;
}

/** `npm run test:full`: 90 minutes at most (`--minutes`), hardest first; then the oldest and the newest Node, as far as there is time. */
async function runFull(node?: string): Promise<boolean> {
  const endsAt = performance.now() + minutes(fullMinutes(values.minutes));
  const parts = await setUp({ all: true, zfsHosts: true });
  const leftOut = Object.entries(parts).flatMap(([name, part]) =>
    'missing' in part ? [`${name}: ${part.missing}`] : [],
  );
  let allOk = true;
  for (const { name, needsMs, run } of [...wholePhases(node), ...nodePhases()]) {
    const left = endsAt - performance.now();
    if (left < (needsMs ?? minutes(1))) {
      leftOut.push(`${name}: the time was over`);
      allOk &&= needsMs !== undefined;
      continue;
    }
    console.log(`\ntests: ${name}`);
    const { ok, skipped } = await run(left);
    if (!ok) console.log(`tests: FAILED: ${name}`);
    allOk &&= ok;
    leftOut.push(...skipped);
  }
  console.log(`\ntests: left out: ${leftOut.length === 0 ? 'nothing' : ''}`);
  for (const what of new Set(leftOut)) console.log(`  ${what}`);
  console.log(allOk ? 'tests: everything passed' : 'tests: FAILED, see above');
  return allOk;
}

/** Every case there is, once. */
function wholePhases(node: string | undefined): Phase[] {
  const { hard, server, rest } = byHardness(allTestFiles());
  const phase = (name: string, files: string[]): Phase => ({
    name: `${name} (${files.length} files)`,
    // 200 kills take 25 minutes.
    run: (endsWithinMs) => runNodeTest({ files, node, concurrency: 3, timeoutMs: minutes(35), endsWithinMs }),
  });
  return [
    phase('chaos, platform and full cases', hard),
    phase('cases with a server', server),
    phase('everything else', rest),
  ];
}

/** The ZFS hosts, once a file has started them, stay up for the files that follow, but not longer; `npm run lab -- up` keeps them. */
async function withGuests(run: () => Promise<boolean>): Promise<boolean> {
  enter(sharedPair);
  try {
    return await run();
  } finally {
    leave(sharedPair);
    await downIfUnused(sharedPair);
  }
}

/** What `npm test` takes, under the oldest and the newest Node: the quick cases of both before the long ones of either. */
function nodePhases(): Phase[] {
  const { hard, server, rest } = byHardness(select(allTestFiles(), 'default'));
  const kinds = [
    { kind: 'fast cases', files: rest, needsMs: minutes(1), timeoutMs: minutes(1) },
    { kind: 'cases with a server', files: server, needsMs: minutes(6), timeoutMs: minutes(10) },
    { kind: 'chaos and platform cases', files: hard, needsMs: minutes(10), timeoutMs: minutes(10) },
  ];
  return kinds.flatMap(({ kind, files, needsMs, timeoutMs }) =>
    Object.values(versions.node).flatMap((version) => {
      const node = nodePath(version);
      const run = (endsWithinMs: number) =>
        runNodeTest({ files, node, oneRestic: true, concurrency: 3, timeoutMs, endsWithinMs });
      return node ? [{ name: `the ${kind} under Node ${version}`, needsMs, run }] : [];
    }),
  );
}

/** `--node 20.19`, else HOLDFAST_NODE: the tests and all that they start run under it. Without both: the Node that runs this. */
async function chosenNode(version: string | undefined): Promise<string | undefined> {
  if (!version) return undefined;
  if (!/^\d+(\.\d+){0,2}$/.test(version))
    throw new Error(`"${version}" is no version of Node: say 20.19 or 26`);
  const part = await ensureNode(version);
  if ('missing' in part) throw new Error(part.missing);
  console.log(`tests: under Node ${version}`);
  return part.path;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    node: { type: 'string' },
    slowest: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '90' },
  },
});
const node = await chosenNode(values.node ?? process.env.HOLDFAST_NODE);
const runs: Record<Selection, () => Promise<boolean>> = {
  default: () => withGuests(() => runDefault(node)),
  fast: async () => (await runFast(node)).ok,
  full: () => withGuests(() => runFull(node)),
};
const selection = (positionals[0] ?? 'default') as Selection;
process.exitCode = (await runs[selection]()) ? 0 : 1;
