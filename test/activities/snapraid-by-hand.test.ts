import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { actByHand, planByHand } from '../../activities/snapraid/by-hand.js';
import { guardDisks } from '../../activities/snapraid/guard.js';
import { openRepairs } from '../../activities/snapraid/open-repair.js';
import { syncArray } from '../../activities/snapraid/sync.js';
import type { SnapraidByHandInput } from '../../contracts/snapraid.js';
import { diff, type FakeArray, fakeArray, fixed, status, worked } from '../support/fake-snapraid.js';

/** Repairs by hand, with a snapraid that answers as it is told. */

const asked = (
  fake: FakeArray,
  settings: Record<string, string>,
  action = 'replace-disk',
): SnapraidByHandInput => ({
  ...fake.array.input,
  action,
  settings,
});

/** Plans, and acts on just that. */
async function repair(fake: FakeArray, settings: Record<string, string>, action?: string) {
  const input = asked(fake, settings, action);
  const { digest } = await planByHand(fake.array, input);
  return actByHand(fake.array, { ...input, digest });
}

/** The run of the next night. */
const nextNight = ({ array }: FakeArray) => ({
  ...array,
  input: { ...array.input, run: 'nightly-2026-11-28T01:00:00Z' },
});

function fakeRepair(options?: Parameters<typeof fakeArray>[0]): FakeArray {
  const fake = fakeArray(options);
  fake.answer('status', status());
  fake.answer('diff', diff());
  fake.answer('fix', fixed('recovered', { 'd2:a.mkv': 'recovered' }));
  fake.answer('check', fixed('ok'));
  return fake;
}

describe('a repair that has not come to its end', () => {
  test('makes the next night ask before it syncs the missing files away, until a sync is approved and proved', async () => {
    const fake = fakeRepair();
    fake.answer('fix', { lines: ['sigint:0: SIGINT received'], code: 0 });
    await assert.rejects(repair(fake, { disk: 'd2' }), { code: 'HF_TOOL_KILLED' });
    fake.answer('diff', diff({ removed: 1 }));
    fake.answer('sync', worked('ok'));
    const night = nextNight(fake);
    const { state, plan } = await syncArray(night, night.input);
    assert.equal(state, 'asks');
    assert.match(
      plan.reasons.join(),
      /the repair of disk d2 \(nightly-2026-11-27T01:00:00Z\) has not come to its end/,
    );

    const approved = await syncArray(night, { ...night.input, digest: plan.digest });
    assert.equal(approved.state, 'complete');
    assert.deepEqual((await syncArray(night, night.input)).plan.reasons, []);
  });

  test('is over when deleted files are back', async () => {
    const fake = fakeRepair();
    fake.answer(
      'check',
      fixed('recoverable', { 'd2:a.mkv': 'recoverable' }, 1),
      fixed('recoverable', { 'd2:a.mkv': 'recoverable' }, 1),
      fixed('ok'),
    );
    await repair(fake, { path: 'a.mkv' }, 'undelete');
    const night = nextNight(fake);
    fake.answer('diff', diff({ added: 1 }));
    fake.answer('sync', worked('ok'));
    assert.equal((await syncArray(night, night.input)).state, 'complete');
  });

  test('is over when another run has brought just it to its end, and goes on when that was of something else', () => {
    const open = (run: string, what: string) =>
      ({ v: 1, at: '', kind: 'array-repair-open', run, resource: 'media', what, device: '' }) as const;
    const done = (run: string) =>
      ({ v: 1, at: '', kind: 'array-repair-done', run, resource: 'media' }) as const;
    const films = 'deleted files at Films';
    const left = openRepairs([open('1', films), open('2', 'disk d2'), open('3', films), done('3')], 'media');
    assert.deepEqual(
      left.map(({ run }) => run),
      ['2'],
    );
  });
});

test('a disk that is there without its marker may be the right one: how it is marked again comes first', async () => {
  const fake = fakeArray({ config: { marker: '.holdfast' } });
  writeFileSync(join(fake.folder, 'd2/.holdfast'), '');
  await assert.rejects(guardDisks(fake.array), {
    message:
      /^Do not sync "media": disk d1 has no marker .* If it is the right disk, with its files: touch \S*d1\/\.holdfast\. If it is a new one: holdfast do nightly replace-disk --set disk=d1 --plan$/,
  });
  rmSync(join(fake.folder, 'd1'), { recursive: true });
  await assert.rejects(guardDisks(fake.array), { message: /no folder .*\. Plan: holdfast do nightly/ });
});

test('a rebuilt disk is not followed by a sync while another one is empty, also where no marker tells it', async () => {
  const fake = fakeRepair();
  fake.answer('status', status({ files: 3 }));
  fake.answer('diff', diff({ removed: 3 }));
  await assert.rejects(repair(fake, { disk: 'd2' }), {
    code: 'HF_ARRAY_DISK_MISSING',
    message: /^disk d2 is rebuilt .*Do not sync yet: d1 looks empty\. Plan: .*--set disk=d1 --plan$/,
  });
  assert(!fake.calls().some((call) => call.endsWith('sync')));
});

describe('a check that was told to stop', () => {
  // Up to version 12.4 it ends with 0 and "ok" all the same.
  const half = { lines: ['sigint:7: SIGINT received', ...fixed('ok').lines] };

  test('is no proof of a repair, whichever it was', async () => {
    for (const [action, settings] of [
      ['replace-disk', { disk: 'd2' }],
      ['rebuild-parity', { parity: 'parity' }],
    ] as const) {
      const fake = fakeRepair();
      fake.answer('check', half);
      await assert.rejects(repair(fake, settings, action), { code: 'HF_TOOL_KILLED' });
    }
  });

  test('does not say that nothing is missing', async () => {
    const fake = fakeRepair();
    const missing = fixed('recoverable', { 'd2:a.mkv': 'recoverable' }, 1);
    fake.answer('check', missing, missing, half);
    await assert.rejects(repair(fake, { path: 'a.mkv' }, 'undelete'), { code: 'HF_TOOL_KILLED' });
    fake.answer('check', half);
    await assert.rejects(planByHand(fake.array, asked(fake, { path: 'a.mkv' }, 'undelete')), {
      code: 'HF_TOOL_KILLED',
    });
    fake.answer('check', { ...worked('error', { io: 3 }) });
    await assert.rejects(planByHand(fake.array, asked(fake, { path: 'a.mkv' }, 'undelete')), {
      code: 'HF_ARRAY_DISK_MISSING',
    });
  });
});

describe('a repair whose proof is not clean', () => {
  const code = 'HF_ARRAY_DAMAGED';
  const wrongParity = {
    lines: ['summary:error:7', 'summary:error_unrecoverable:0', 'summary:exit:recoverable'],
    code: 1,
  };

  test('fails before any sync, when files are not as their hashes say', async () => {
    const fake = fakeRepair();
    fake.answer('check', fixed('error', { 'd2:b.mkv': 'damaged' }, 1));
    await assert.rejects(repair(fake, { disk: 'd2' }), (error: { code: string; message: string }) => {
      assert.equal(error.code, code);
      assert.match(error.message, /1 errors were found when the files of d2 were read again/);
      return true;
    });
  });

  test('goes on to the question when just the files that are lost are not there', async () => {
    const fake = fakeRepair();
    const lost = { 'd2:b.mkv': 'unrecoverable' };
    fake.answer('fix', fixed('unrecoverable', lost, 1));
    fake.answer('check', fixed('unrecoverable', lost, 1));
    const { lostCount, warnings } = await repair(fake, { disk: 'd2' });
    assert.equal(lostCount, 1);
    assert.equal(warnings?.length, 1);
    const other = fakeRepair();
    other.answer('fix', fixed('unrecoverable', lost, 1));
    other.answer('check', fixed('error', { ...lost, 'd2:c.mkv': 'damaged' }, 1));
    await assert.rejects(repair(other, { disk: 'd2' }), { code });
  });

  test('fails when the repair itself ended badly, although what is there reads well', async () => {
    const fake = fakeRepair();
    fake.answer('fix', fixed('unrecoverable', {}, 1));
    await assert.rejects(repair(fake, { disk: 'd2' }), { code });
  });

  test('fails for a parity that is wrong although nothing was changed since the last sync', async () => {
    const fake = fakeRepair();
    fake.answer('check', wrongParity);
    await assert.rejects(repair(fake, { parity: 'parity' }, 'rebuild-parity'), { code });
    const changed = fakeRepair();
    changed.answer('diff', diff({ removed: 1 }));
    changed.answer('check', wrongParity);
    const { warnings } = await repair(changed, { parity: 'parity' }, 'rebuild-parity');
    assert.deepEqual(warnings, ['7 blocks of parity are not right']);
  });

  test('of a parity is asked for once more after the sync, when nothing explains what is wrong any more', async () => {
    const fake = fakeRepair();
    const again: SnapraidByHandInput = {
      ...asked(fake, { parity: 'parity' }, 'rebuild-parity'),
      onlyProve: true,
    };
    fake.answer('check', fixed('ok'));
    const { proved, warnings } = await actByHand(fake.array, again);
    assert.deepEqual([proved, warnings], ['parity was read again and is right in every block', undefined]);
    fake.answer('check', wrongParity);
    await assert.rejects(actByHand(fake.array, again), {
      code,
      message: /^After its repair and a complete sync 7 blocks of parity are not right: parity does not keep/,
    });
    fake.answer('diff', diff({ removed: 1 }));
    const changed = await actByHand(fake.array, again);
    assert.match(changed.warnings?.join() ?? '', /7 blocks .* and files changed since the sync: scrub it/);
    assert(!fake.calls().some((call) => / fix$| sync$/.test(call)), 'something was written');
  });

  test('of an undelete fails when files that came back are still missing', async () => {
    const fake = fakeRepair();
    fake.answer('check', fixed('recoverable', { 'd2:a.mkv': 'recoverable' }, 1));
    await assert.rejects(repair(fake, { path: 'a.mkv' }, 'undelete'), { code });
  });
});

describe('what a repair promises', () => {
  test('is everything only while every block has its parity and none is bad', async () => {
    const fake = fakeRepair();
    const planned = async (settings: Record<string, string>, action?: string) => {
      const { lines, digest } = await planByHand(fake.array, asked(fake, settings, action));
      return { words: lines.join('; '), digest };
    };
    const disk = { disk: 'd2' };
    const whole = await planned(disk);
    assert.match(whole.words, /every file can be had back/);
    for (const weak of [status({ unsynced: 123 }), status({ bad: 123 })]) {
      fake.answer('status', weak);
      const { words, digest } = await planned(disk);
      assert.match(words, /123 blocks/);
      assert.doesNotMatch(words, /every file/);
      assert.notEqual(digest, whole.digest);
      const parity = await planned({ parity: 'parity' }, 'rebuild-parity');
      assert.match(parity.words, /123 blocks/);
      assert.doesNotMatch(parity.words, /whole/);
    }
  });
});

test("a list of files that snapraid has put onto the new disk by itself is nobody else's, whatever it is called", async () => {
  const fake = fakeRepair();
  fake.array.conf.content.push(join(fake.folder, 'd2', '.lists'));
  for (const name of ['.lists', '.lists.tmp']) writeFileSync(join(fake.folder, 'd2', name), 'x');
  const input = asked(fake, { disk: 'd2' });
  assert.match((await planByHand(fake.array, input)).lines.join('; '), /every file can be had back/);
  writeFileSync(join(fake.folder, 'd2', 'snapraid.content'), 'of another array');
  await assert.rejects(repair(fake, { disk: 'd2' }), { code: 'HF_TARGET_REFUSED' });
});

describe('a second attempt of a repair', () => {
  test('is refused like a first one, when the first has never looked', async () => {
    const fake = fakeRepair({ attempt: 2 });
    writeFileSync(join(fake.folder, 'd2/somebody else'), 'x');
    await assert.rejects(repair(fake, { disk: 'd2' }), { code: 'HF_TARGET_REFUSED' });
    rmSync(join(fake.folder, 'd2/somebody else'));
    const other = { ...asked(fake, { disk: 'd2' }), digest: 'of another plan' };
    await assert.rejects(actByHand(fake.array, other), { code: 'HF_NOT_APPROVED' });
    assert(!fake.calls().some((call) => call.endsWith('fix')));
  });

  test('goes on with the disk that the first has begun to fill, and with no other', async () => {
    const fake = fakeRepair();
    fake.answer('fix', { lines: ['sigint:0: SIGINT received'], does: `echo x > '${fake.folder}/d2/half'` });
    const input = asked(fake, { disk: 'd2' });
    const { digest } = await planByHand(fake.array, input);
    await assert.rejects(actByHand(fake.array, { ...input, digest }), { code: 'HF_TOOL_KILLED' });
    fake.answer('fix', fixed('ok'));
    const evidence = join(fake.folder, 'state/evidence.jsonl');
    const text = readFileSync(evidence, 'utf8');
    writeFileSync(evidence, text.replace(/"device":"[^"]*"/, '"device":"UUID=the-new-disk at /mnt/d2"'));
    await assert.rejects(actByHand(fake.array, { ...input, digest }), (error: Error) => {
      assert.match(error.message, /was begun on UUID=the-new-disk at \/mnt\/d2, and now it would write to/);
      return true;
    });
    writeFileSync(evidence, text);
    assert.equal((await actByHand(fake.array, { ...input, digest })).lostCount, 0);
  });

  test('may be made by a new run, which is not stopped by what the first has brought back', async () => {
    const fake = fakeRepair();
    fake.answer('fix', { lines: ['sigint:0: SIGINT received'], does: `echo x > '${fake.folder}/d2/half'` });
    await assert.rejects(repair(fake, { disk: 'd2' }), { code: 'HF_TOOL_KILLED' });
    fake.answer('fix', fixed('ok'));
    const again = { ...fake, array: nextNight(fake) };
    assert.equal((await repair(again, { disk: 'd2' })).lostCount, 0);
  });
});

describe('deleted files of which the check says nothing', () => {
  const listed = (path: string) => {
    const fake = fakeRepair();
    fake.answer('list', { lines: [`file:d1:${path}:1:1795000000:0:1`, 'summary:exit:ok'] });
    return fake;
  };

  test('are not called there when they are in the list and not on the disk', async () => {
    const fake = listed('Films/a\\db[c].mkv');
    const input = asked(fake, { path: 'Films/a:b[c].mkv' }, 'undelete');
    await assert.rejects(planByHand(fake.array, input), {
      code: 'HF_ARRAY_UNREADABLE',
      message: /"d1:Films\/a:b\[c\].mkv" is in its list and not on the disk/,
    });
  });

  test('are there when they are on the disk, and unknown when they are in no list', async () => {
    const fake = listed('a.mkv');
    writeFileSync(join(fake.folder, 'd1/a.mkv'), 'x');
    const plan = await planByHand(fake.array, asked(fake, { path: 'a.mkv' }, 'undelete'));
    assert.equal(plan.nothing, true);
    const never = asked(fake, { path: 'b.mkv' }, 'undelete');
    await assert.rejects(planByHand(fake.array, never), { code: 'HF_PATH_NOT_FOUND' });
  });
});

describe('a data disk beside one that fails', () => {
  /** Its own numbers climb with each question. */
  function beside() {
    const fake = fakeRepair();
    let asked = 0;
    const run: typeof fake.array.tools.host.run = async (command, options) => {
      if (command.file !== 'smartctl') return fake.array.tools.host.run(command, options);
      const table = [
        { id: 197, name: 'Current_Pending_Sector', when_failed: 'now', raw: { value: ++asked } },
      ];
      const failing = JSON.stringify({ smart_status: { passed: false }, ata_smart_attributes: { table } });
      const stdout = command.args.includes('/dev/sg0') ? failing : '';
      return { exitCode: 24, signal: undefined, stdout, stderrTail: '', durationMs: 1 };
    };
    const findProgram = async (file: string) => file;
    const tools = { ...fake.array.tools, host: { ...fake.array.tools.host, run, findProgram } };
    const conf = { ...fake.array.conf, smartctl: new Map([['d1', ['/dev/sg0']]]) };
    return { ...fake, array: { ...fake.array, tools, conf, smartctl: 'smartctl' } };
  }

  test('is rebuilt while that can still be read; whoever plans it is told', async () => {
    const fake = beside();
    const plan = await planByHand(fake.array, asked(fake, { disk: 'd2' }));
    assert.match(plan.lines.join('\n'), /^d1 is failing: its own check says FAILED.*pending sectors$/m);
    const { recovered } = await repair(fake, { disk: 'd2' });
    assert.equal(recovered, 1);
  });

  test('which freezes every sync all the same', async () => {
    const { array } = beside();
    await assert.rejects(syncArray(array, { ...array.input, always: true }), {
      code: 'HF_ARRAY_DISK_MISSING',
      message: /^Do not sync "media": disk d1 is failing/,
    });
  });
});
