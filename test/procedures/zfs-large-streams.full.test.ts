import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { isAlive } from '../support/alive.js';
import { type Estate, startEstate } from '../support/estate.js';
import type { LabHost } from '../support/lab-host.js';
import { needs } from '../support/needs.js';
import type { PlainConfig } from '../support/plain-config.js';
import { runIn } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';
import { overSsh } from '../support/zfs-estate.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** A stream that is too large for the kept connections and has an ssh program of its own, ended in its middle by what happens to workers, cables and hosts. */

let estate: Estate | undefined;
after(() => estate?.stop());
// Bytes are counted at the network card, which no other test may use.
const lab = useZfsLab({ own: true });
const skip = lab.skip || needs('temporal');

const megabyte = 2 ** 20;
const sizeBytes = 96 * megabyte;
const names = ['worker', 'ssh', 'cut', 'reset'] as const;
type Name = (typeof names)[number];

function withJobs(config: PlainConfig): void {
  config.hosts.din = { ssh: overSsh(lab.din) };
  config.hosts.grogu = { ssh: overSsh(lab.grogu) };
  config.stores.grogu = { zfs: { host: 'grogu', dataset: lab.grogu.parents.backup } };
  for (const name of names) {
    config.resources[name] = { host: 'din', dataset: `${lab.din.parents.fast}/${name}` };
    config.jobs[name] = {
      kind: 'zfs-replication',
      resources: [name],
      store: 'grogu',
      snapshots: 'all',
      limit: '1MiB',
      retryFor: '15m',
    };
  }
}

const received = async (): Promise<number> =>
  Number(await lab.grogu.sh('cat /sys/class/net/eth0/statistics/rx_bytes'));

const guidsOf = async (host: LabHost, root: string): Promise<string[]> =>
  (await host.zfs('list', '-Hr', '-t', 'snapshot', '-o', 'name,guid', root))
    .split('\n')
    .map((line) => line.slice(root.length))
    .sort();

/** What works on this tree on a host: its own processes, not the shell that looks. */
const workingOn = async (host: LabHost, tree: string): Promise<string> =>
  (await host.ask(`ps -eo comm,args | grep -E '^(zfs|sh|mbuffer|pv) ' | grep -F '${tree}' | grep -v grep`))
    .stdout;

/** Programs of ssh below a process of this machine. */
function sshBelow(pid: number): number[] {
  const parents = new Map<number, { parent: number; command: string }>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [, command = '', parent = ''] =
        /^\d+ \((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${entry}/stat`, 'utf8')) ?? [];
      parents.set(Number(entry), { parent: Number(parent), command });
    } catch {
      // Gone since it was listed.
    }
  }
  const isBelow = (one: number): boolean =>
    one === pid || (parents.has(one) && isBelow(parents.get(one)?.parent ?? 0));
  return [...parents].flatMap(([one, { command }]) => (command === 'ssh' && isBelow(one) ? [one] : []));
}

/** A run that is interrupted once much of its stream has arrived, and what must be true at its end. */
async function interrupted(name: Name, interrupt: (running: Estate) => Promise<number[]>): Promise<string> {
  const [source, target] = [`${lab.din.parents.fast}/${name}`, `${lab.grogu.parents.backup}/${name}`];
  await lab.din.sh(`
    set -e
    zfs create '${source}'; zfs create '${source}/large one'
    dd if=/dev/urandom of='/${source}/large one/data' bs=1M count=${sizeBytes / megabyte} 2>/dev/null
    zfs snapshot -r '${source}@one'
  `);
  estate ??= await startEstate({ change: withJobs });
  const before = await received();
  const run = runIn((await estate.holdfast('run', name)).stdout);
  // "used" lags behind what has arrived; only what it counts outlives a power cut.
  await waitFor(
    async () => {
      const { stdout } = await lab.grogu.ask(`zfs list -Hpo used '${target}/large one'`);
      return Number(stdout) > 0.3 * sizeBytes;
    },
    { timeoutMs: 300_000, what: 'a third of the stream to have arrived' },
  );
  const first = (await received()) - before;
  assert(first < 0.9 * sizeBytes, `the stream is over already: ${first} bytes`);
  const hasBooted = await lab.grogu.sh('cat /proc/sys/kernel/random/boot_id');
  // Programs that must have ended by the end of the run.
  const programs = await interrupt(estate);
  const handle = estate.client.workflow.getHandle(run);
  await waitFor(async () => (await handle.describe()).status.name !== 'RUNNING', {
    timeoutMs: 900_000,
    what: `${run} to end`,
  });
  const { stdout: log } = await estate.holdfast('logs', run);
  assert.equal((await handle.describe()).status.name, 'COMPLETED', log);
  assert.deepEqual(await guidsOf(lab.grogu, target), await guidsOf(lab.din, source));
  const isSameBoot = hasBooted === (await lab.grogu.sh('cat /proc/sys/kernel/random/boot_id'));
  const then = (await received()) - (isSameBoot ? before + first : 0);
  assert(then < 0.85 * sizeBytes, `${then} bytes of ${sizeBytes} came after ${first} had come\n${log}`);
  assert.deepEqual(programs.filter(isAlive), []);
  assert.equal(await lab.din.sh(`zfs list -Hr -t snapshot -o userrefs '${source}' | sort -u`), '0');
  for (const [host, tree] of [
    [lab.din, source],
    [lab.grogu, target],
  ] as const)
    assert.equal(await workingOn(host, tree), '');
  return log;
}

/** Whether an activity that moves or looks at data waits for its next attempt. */
async function failedAttempts(client: Estate['client']): Promise<boolean> {
  for await (const { workflowId, status } of client.workflow.list()) {
    if (status.name !== 'RUNNING') continue;
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    if ((raw.pendingActivities ?? []).some(({ attempt, lastFailure }) => (attempt ?? 1) > 1 || lastFailure))
      return true;
  }
  return false;
}

const goesOnByToken = /zfs send -vP -t 1-/;

test('kill -9 of the worker alone: its ssh programs bring the stream to its end, and the next worker sends nothing twice', {
  skip,
}, async () => {
  await interrupted('worker', async (running) => {
    const programs = sshBelow(running.worker.pid);
    assert(programs.length > 0, 'a large stream goes through the ssh program');
    await running.worker.stop('SIGKILL');
    await running.startWorker();
    return programs;
  });
});

test('kill -9 of the worker and of its ssh programs: the next worker goes on by the token', {
  skip,
}, async () => {
  const log = await interrupted('ssh', async (running) => {
    const programs = sshBelow(running.worker.pid);
    assert(programs.length > 0, 'a large stream goes through the ssh program');
    await running.worker.stop('SIGKILL');
    for (const pid of programs) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    await running.startWorker();
    return programs;
  });
  assert.match(log, goesOnByToken);
});

test('a cable that is pulled in the middle of a stream and put back: the run goes on by the token', {
  skip,
}, async () => {
  const log = await interrupted('cut', async ({ client }) => {
    await lab.grogu.setLink(false);
    // Before it was noticed it was no cut.
    await waitFor(() => failedAttempts(client), { timeoutMs: 300_000, what: 'the cut to be noticed' });
    await lab.grogu.setLink(true);
    return [];
  });
  assert.match(log, goesOnByToken);
});

test('a receiving host that loses its power in the middle of a stream: the run goes on by the token', {
  skip,
}, async () => {
  const log = await interrupted('reset', async () => {
    await lab.grogu.pullPlug();
    await lab.grogu.boot();
    return [];
  });
  assert.match(log, goesOnByToken);
});
