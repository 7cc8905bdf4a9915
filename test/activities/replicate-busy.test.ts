import assert from 'node:assert/strict';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Tools } from '../../activities/door.js';
import { listColumns } from '../../activities/zfs/list-command.js';
import { hostEnds } from '../../activities/zfs/replicate-hosts.js';
import { lookAtReplicas } from '../../activities/zfs/replicate-look.js';
import { readRound, readTroubles } from '../../activities/zfs/replicate-notebook.js';
import { transferReplicas } from '../../activities/zfs/replicate-transfer.js';
import { readToken } from '../../activities/zfs/resume-token.js';
import { parseConfig } from '../../config/load.js';
import { localHost } from '../../system/local-host.js';
import { temporaryFolder } from '../support/temp.js';

/** What a connection that was cut has left running on the target, and a zfs that is killed: with real processes and a zfs of a few lines. */

const folder = temporaryFolder('busy');
const zfs = join(folder, 'zfs');
writeFileSync(
  zfs,
  `#!/bin/sh
printf '%s\\n' "$*" >> '${folder}/asked'
case "$1 $2" in
'send -nvt') case "$3" in
  *killed*) kill -9 $$ ;;
  *corrupt*) echo 'cannot resume send: resume token is corrupt (incorrect checksum)' >&2; exit 255 ;;
  esac
  printf 'resume token contents:\\nnvlist version: 0\\n\\tbytes = 0x10\\n\\ttoguid = 0xc\\n\\ttoname = fast/k/disk@two\\n\\tfromguid = 0xb\\n' ;;
'send -nvP') printf 'size\\t10\\n' ;;
'send -vP') echo data ;;
program*) exit 1 ;;
'list '*) case "$*" in *backup/tree*) cat '${folder}/target' ;; *' backup'*) printf 'backup\\t1\\t1000000000000\\n' ;; *) cat '${folder}/source' ;; esac ;;
receive*) cat > /dev/null
  [ -e '${folder}/live' ] && { echo 'cannot receive resume stream: destination backup/tree/disk contains partially-complete state from "zfs receive -s".' >&2; exit 1; }
  exit 0 ;;
esac
`,
);
chmodSync(zfs, 0o755);

const row = (values: Record<string, string>): string =>
  listColumns.map((column) => values[column] ?? '-').join('\t');
const snapshot = (dataset: string, name: string, guid: number): string =>
  row({
    ...{ name: `${dataset}@${name}`, type: 'snapshot', guid: String(guid), createtxg: String(guid) },
    ...{ creation: String(1_795_000_000 + guid), userrefs: '0', written: '0', referenced: '10', used: '0' },
  });
const dataset = (name: string, guid: number, more: Record<string, string> = {}): string =>
  row({
    name,
    type: 'filesystem',
    guid: String(guid),
    createtxg: '1',
    written: '0',
    used: '0',
    available: '1000000000000',
    ...more,
  });

const sourceRows = [
  dataset('fast/k', 1),
  snapshot('fast/k', 'one', 5),
  snapshot('fast/k', 'two', 6),
  dataset('fast/k/disk', 2),
  snapshot('fast/k/disk', 'one', 11),
  snapshot('fast/k/disk', 'two', 12),
];
/** `token`: what has arrived of @two of the disk. */
const targetRows = (token: string): string[] => [
  dataset('backup/tree', 3, { 'holdfast:replica-of': '1', readonly: 'on', canmount: 'noauto' }),
  snapshot('backup/tree', 'one', 5),
  snapshot('backup/tree', 'two', 6),
  dataset('backup/tree/disk', 4, {
    ...{ 'holdfast:replica-of': '2', readonly: 'on', canmount: 'noauto' },
    receive_resume_token: token,
  }),
  snapshot('backup/tree/disk', 'one', 11),
];

function setPools(token: string): void {
  writeFileSync(join(folder, 'source'), `${sourceRows.join('\n')}\n`);
  writeFileSync(join(folder, 'target'), `${targetRows(token).join('\n')}\n`);
  writeFileSync(join(folder, 'asked'), '');
}
const asked = (): string[] => readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n');

const { config } = parseConfig(
  JSON.stringify({
    hosts: { din: { tools: { zfs } } },
    resources: { tree: { host: 'din', dataset: 'fast/k' } },
    stores: { grogu: { zfs: { host: 'din', dataset: 'backup' } } },
    jobs: { copy: { kind: 'zfs-replication', resources: ['tree'], store: 'grogu', snapshots: 'all' } },
  }),
  '/holdfast.yaml',
);
if (!config) throw new Error('the configuration of this test is wrong');
const host = localHost({ name: 'din', stateFolder: join(folder, 'state') });
const lines: string[] = [];

const toolsFor = (run: string, more: Partial<Tools> = {}): Tools => ({
  ...{ host, config, run, attempt: 1, signal: new AbortController().signal },
  progress: () => undefined,
  log: (line) => void lines.push(line),
  ...more,
});
const stepFor = (run: string, round: number) => ({
  ...{ job: 'copy', run, resource: 'tree', store: 'grogu', retryForMs: 60_000 },
  round,
});

test('what zfs ends with is known of each token, also where it was killed', async () => {
  const tool = { host, signal: new AbortController().signal, zfs, zpool: 'zpool' };
  const ends = hostEnds({ source: tool, target: tool, sourceRoot: 'fast', targetRoot: 'backup' });
  const answers = await ends.readTokens(['1-good', '1-killed', '1-corrupt', "1-it's good"]);
  assert.deepEqual(
    answers.map((answer) => answer?.exitCode),
    [0, 137, 255, 0],
  );
  const readings = answers.map(readToken);
  assert.deepEqual(
    readings.map((one) => Object.keys(one)),
    [['facts'], ['unread'], ['hopeless'], ['facts']],
  );
});

test('another receive on the target is waited for, and is no try of the stream', async () => {
  const run = 'copy-2026-11-20T03:00:00Z';
  setPools('1-good');
  writeFileSync(join(folder, 'live'), '');
  const look = await lookAtReplicas(toolsFor(run), stepFor(run, 1));
  assert.equal(look.groups, 1, lines.join('\n'));
  const step = { ...stepFor(run, 1), group: 0 };
  for (const attempt of [1, 2, 3, 4])
    await assert.rejects(transferReplicas(toolsFor(run, { attempt, mayWait: () => true }), step), {
      code: 'HF_REPLICA_BUSY',
    });
  rmSync(join(folder, 'live'));
  const done = await transferReplicas(toolsFor(run, { attempt: 5, mayWait: () => true }), step);
  assert.deepEqual([done.datasets, done.troubles], [1, []]);
  assert(!asked().some((line) => line.startsWith('receive -A')), asked().join('\n'));
});

test('one that does not end in time is left to the next run, with the words, and all that has arrived stays', async () => {
  const run = 'copy-2026-11-20T04:00:00Z';
  setPools('1-good');
  writeFileSync(join(folder, 'live'), '');
  await lookAtReplicas(toolsFor(run), stepFor(run, 1));
  const done = await transferReplicas(toolsFor(run), { ...stepFor(run, 1), group: 0 });
  assert.match(done.troubles.join(), /disk: another receive is still under way there: .*partially-complete/);
  const [[, trouble] = []] = await readTroubles(host, stepFor(run, 2), 1, 1);
  assert.equal(trouble?.isBusy, true);
  const last = await lookAtReplicas(toolsFor(run), stepFor(run, 2));
  assert.equal(last.groups, 0, 'in this run it is not tried again');
  assert.match(last.behind.join(), /disk: another receive is still under way there/);
  assert(!asked().some((line) => line.startsWith('receive -A')), asked().join('\n'));
  const { plans = [] } = (await readRound(host, stepFor(run, 2), 2)) ?? {};
  assert(plans.some(({ kind }) => kind === 'resume'));
  rmSync(join(folder, 'live'));
});

test('a token that zfs was killed over waits through ten runs, each of which says so, and the eleventh begins anew', async () => {
  setPools('1-killed');
  const looks = [];
  for (let hour = 10; hour <= 20; hour += 1) {
    const run = `copy-2026-11-20T${hour}:00:00Z`;
    looks.push(await lookAtReplicas(toolsFor(run), stepFor(run, 1)));
    if (hour < 20) assert(!asked().some((line) => line.startsWith('receive -A')), `in run ${hour}`);
  }
  for (const { behind, groups } of looks.slice(0, 10)) {
    assert.match(behind.join(), /disk: what has arrived of a stream waits, .*ended with 137/);
    assert.equal(groups, 0);
  }
  assert.equal(looks.at(-1)?.groups, 1);
  assert.equal(asked().filter((line) => line === 'receive -A backup/tree/disk').length, 1);
});

test('the attempt of a look that is tried again counts once, and says again what others did', async () => {
  const run = 'copy-2026-11-21T03:00:00Z';
  setPools('1-good');
  writeFileSync(join(folder, 'target'), `${targetRows('-').join('\n')}\n`);
  const before = 'copy-2026-11-21T02:00:00Z';
  const whole = [...targetRows('-'), snapshot('backup/tree/disk', 'two', 12)];
  writeFileSync(join(folder, 'target'), `${whole.join('\n')}\n`);
  const sound = await lookAtReplicas(toolsFor(before), stepFor(before, 1));
  assert.deepEqual([sound.groups, sound.warnings], [0, []]);
  // Somebody rolls the disk back and destroys its last snapshot at the source too: there is nothing to send.
  writeFileSync(join(folder, 'target'), `${targetRows('-').join('\n')}\n`);
  writeFileSync(join(folder, 'source'), `${sourceRows.slice(0, -1).join('\n')}\n`);
  for (const attempt of [1, 2]) {
    const { groups, warnings } = await lookAtReplicas(toolsFor(run, { attempt }), stepFor(run, 1));
    assert.equal(groups, 0);
    assert.match(warnings.join(), /disk: somebody has rolled it back/, `attempt ${attempt}`);
  }
});
