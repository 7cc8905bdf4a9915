import { type NodeTestOutcome, runNodeTest } from './node-test.js';
import { nodePath, versions } from './places.js';
import { setUp } from './setup.js';
import { allTestFiles, byHardness, type Selection, select } from './test-files.js';
import { downIfUnused, sharedPair } from './zfs/pair.js';
import { enter, leave } from './zfs/users.js';

const minutes = (count: number): number => count * 60_000;

/** `npm test`: everything but the full cases, in one go, ending with the summary of node's own runner. */
async function runDefault(): Promise<boolean> {
  await setUp({ zfsHosts: true });
  const files = select(allTestFiles(), 'default');
  process.env.HOLDFAST_ONE_RESTIC = '1';
  console.log(
    'tests: with one restic; the cases of restic 0.18 and the *.full cases are in npm run test:full',
  );
  const { ok } = await runNodeTest({
    files,
    concurrency: 2,
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

interface Phase {
  name: string;
  run: (endsWithinMs: number) => Promise<NodeTestOutcome>;
}

/** `npm run test:full`: hardest first, an hour at most, then the fast part under the oldest and the newest Node. */
async function runFull(): Promise<boolean> {
  const endsAt = performance.now() + minutes(60);
  const parts = await setUp({ all: true, zfsHosts: true });
  const leftOut = Object.entries(parts).flatMap(([name, part]) =>
    'missing' in part ? [`${name}: ${part.missing}`] : [],
  );
  let allOk = true;
  for (const { name, run } of fullPhases()) {
    const left = endsAt - performance.now();
    if (left < minutes(1)) {
      leftOut.push(`${name}: the hour was over`);
      allOk = false;
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

function fullPhases(): Phase[] {
  const { hard, server, rest } = byHardness(allTestFiles());
  const phase = (name: string, files: string[], concurrency: number): Phase => ({
    name: `${name} (${files.length} files)`,
    // 200 kills take 25 minutes.
    run: (endsWithinMs) => runNodeTest({ files, concurrency, timeoutMs: minutes(35), endsWithinMs }),
  });
  const phases = [
    ...(hard.length > 0 ? [phase('chaos, platform and full cases', hard, 2)] : []),
    ...(server.length > 0 ? [phase('cases with a server', server, 2)] : []),
    ...(rest.length > 0 ? [phase('everything else', rest, 2)] : []),
  ];
  for (const version of Object.values(versions.node)) {
    const node = nodePath(version);
    if (node) phases.push({ name: `the fast cases under Node ${version}`, run: () => runFast(node) });
  }
  return phases;
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

const runs: Record<Selection, () => Promise<boolean>> = {
  default: () => withGuests(runDefault),
  fast: async () => (await runFast()).ok,
  full: () => withGuests(runFull),
};
const selection = (process.argv[2] ?? 'default') as Selection;
process.exitCode = (await runs[selection]()) ? 0 : 1;
