import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { changeScript } from '../../activities/zfs/replicate-change.js';
import { receiveScript, sendScript, watchStreams } from '../../activities/zfs/replicate-script.js';
import type { Stream } from '../../activities/zfs/replicate-streams.js';
import { temporaryFolder } from '../support/temp.js';
import { dataset, listingOf, snapshot } from '../support/zfs-trees.js';

/** The programs of sh, run by a real shell with a zfs that only notes what it is asked. */

const folder = temporaryFolder('script');
const zfs = join(folder, 'zfs program');
const notes = join(folder, 'notes');
writeFileSync(
  zfs,
  `#!/bin/sh
printf '%s\\n' "$*" >> '${notes}'
case "$1" in
program) [ -e '${folder}/root' ] || exit 1
  cat > '${folder}/lua'; shift 3; echo 'Channel program fully executed and produced output:'; echo '    return:'
  while [ $# -gt 0 ]; do case "$2" in *bad*) echo "        $2: 17";; *) echo "        $2: 0";; esac; shift 2; done ;;
hold)
  [ "$2" = -r ] && { case "$4" in *bad*|*held*) echo "cannot hold snapshot '$4': tag already exists on this dataset" >&2; exit 1;; esac; exit 0; }
  shift 2; code=0
  for name in "$@"; do case "$name" in *bad*|*gone*) echo "cannot hold snapshot '$name': dataset does not exist" >&2; code=1;;
    *held*) echo "cannot hold snapshot '$name': tag already exists on this dataset" >&2; code=1;; esac; done
  exit $code ;;
list) shift 5; code=0
  for name in "$@"; do case "$name" in *gone*) echo "cannot open '$name': dataset does not exist" >&2; code=1;; esac; done
  exit $code ;;
bookmark) case "$3" in *bad*) printf 'one\\ttab\\nsecond line\\n' >&2; exit 1;; esac ;;
send) case "$*" in *bad*) echo 'cannot open: dataset does not exist' >&2; exit 1;; esac
  printf '%01000d' 0; printf 'size\\t1000\\n' >&2 ;;
receive) dd bs=1000 count=1 iflag=fullblock of="${folder}/last" 2>/dev/null; [ "$(wc -c < "${folder}/last")" = 1000 ] || { echo 'cannot receive: failed to read from stream' >&2; exit 1; }
  case "$*" in *refused*) echo 'cannot receive incremental stream: destination has been modified' >&2; exit 1;; esac ;;
esac
`,
);
chmodSync(zfs, 0o755);

const sh = (text: string, input = ''): { stdout: string; stderr: string } =>
  spawnSync('sh', ['-c', text], { input, encoding: 'utf8' });

const asked = (): string[] => {
  const lines = existsSync(notes) ? readFileSync(notes, 'utf8').trim().split('\n') : [];
  writeFileSync(notes, '');
  return lines.sort();
};

test('holds of one tag are one command, and those that it names are those that failed', () => {
  asked();
  const names = ["a'quote@s", 'b bad@s', 'c "double" $x@s'];
  const script = changeScript(
    [zfs],
    names.map((name) => ['hold', 'tag', name]),
    [['bookmark', 'x@s', 'x#c']],
  );
  const done = script.read(sh(script.text).stdout);
  assert.deepEqual(
    done.map((one) => one?.ok),
    [true, false, true, undefined],
  );
  assert.match(done[1]?.words ?? '', /'b bad@s': dataset does not exist/);
  assert.deepEqual(asked(), [`hold tag a'quote@s b bad@s c "double" $x@s`], 'the second half was not begun');
});

const treeOf = (...names: string[]) => listingOf(names.map((name) => dataset(name, {}, [snapshot('s', 5)])));

test('snapshots of one name that are all of a tree are held and released in one moment', () => {
  const names = ['fast/k', "fast/k/it's", 'fast/k/b x'];
  const holds = names.map((name) => ['hold', 'tag', `${name}@s`]);
  for (const [listing, asks] of [
    [
      treeOf('fast', ...names, 'fast/kk'),
      ['hold -r tag fast/k@s', `list -H -o name -t snapshot fast/k@s fast/k/it's@s fast/k/b x@s`],
    ],
    // One that is not meant would be held too.
    [treeOf(...names, 'fast/k/other'), [`hold tag fast/k@s fast/k/it's@s fast/k/b x@s`]],
    [undefined, [`hold tag fast/k@s fast/k/it's@s fast/k/b x@s`]],
  ] as const) {
    asked();
    const script = changeScript([zfs], holds, [], listing);
    assert.deepEqual(
      script.read(sh(script.text).stdout).map((one) => one?.ok),
      [true, true, true],
    );
    assert.deepEqual(asked(), [...asks]);
  }
});

test('a snapshot that vanished from a tree before it was held is not taken for held, and nothing is let go for it', () => {
  const names = ['fast/k', 'fast/k/gone', 'fast/k/c'];
  const script = changeScript(
    [zfs],
    names.map((name) => ['hold', 'tag', `${name}@s`]),
    [['release', 'old', 'fast/k/gone@r']],
    treeOf(...names),
  );
  const done = script.read(sh(script.text).stdout);
  assert.deepEqual(
    done.map((one) => one?.ok),
    [true, false, true, undefined],
  );
  assert.match(done[1]?.words ?? '', /'fast\/k\/gone@s': dataset does not exist/);
});

test('one that vanished from a large tree that an earlier attempt has held is still told apart', () => {
  const long = 'x'.repeat(100);
  const children = Array.from({ length: 60 }, (_, at) => `fast/held/${long}${at}`);
  for (const [last, ends] of [
    ['fast/held/gone', false],
    ['fast/held/z', true],
  ] as const) {
    const names = ['fast/held', ...children, last];
    const script = changeScript(
      [zfs],
      names.map((name) => ['hold', 'tag', `${name}@s`]),
      [['release', 'old', 'fast/k@r']],
      treeOf(...names),
    );
    const done = script.read(sh(script.text).stdout);
    assert.deepEqual(
      done.slice(0, -1).map((one) => one?.ok),
      [...names.slice(1).map(() => true), ends],
    );
    assert.equal(done.at(-1)?.ok, ends || undefined);
  }
});

test('a hold of several snapshots that was killed has held none of them for sure', () => {
  const killed = join(folder, 'killed hold');
  for (const says of ['', `echo "cannot hold snapshot 'a@s': dataset does not exist" >&2; `]) {
    writeFileSync(killed, `#!/bin/sh\n${says}kill -9 "$$"\n`);
    chmodSync(killed, 0o755);
    const holds = ['a@s', 'b@s'].map((name) => ['hold', 'tag', name]);
    for (const listing of [undefined, treeOf('a', 'a/b')]) {
      const script = changeScript([killed], holds, [], listing);
      assert.deepEqual(
        script.read(sh(script.text).stdout).map((one) => one?.ok),
        [false, false],
      );
    }
  }
});

test('where the whole tree cannot be held at once, each of its snapshots is tried', () => {
  asked();
  const names = ['fast/k-bad', 'fast/k-bad/a'];
  const script = changeScript(
    [zfs],
    names.map((name) => ['hold', 'tag', `${name}@s`]),
    [['bookmark', 'x@s', 'x#c']],
    treeOf(...names),
  );
  const done = script.read(sh(script.text).stdout);
  assert.deepEqual(asked(), ['hold -r tag fast/k-bad@s', 'hold tag fast/k-bad@s fast/k-bad/a@s']);
  assert.deepEqual([done[0]?.ok, done[1]?.ok, done[2]], [false, false, undefined]);
});

test('the second half comes after the first, and what zfs says comes back on one line', () => {
  asked();
  const first = changeScript(
    [zfs],
    [['hold', 'tag', 'a@s']],
    [
      ['bookmark', 'a@s', 'a#c'],
      ['bookmark', 'a@s', 'bad#c'],
    ],
  );
  assert.deepEqual(first.read(sh(first.text).stdout), [
    { ok: true, words: '' },
    { ok: true, words: '' },
    { ok: false, words: 'one tab second line' },
  ]);
  const many = Array.from({ length: 40 }, (_, index) => ['bookmark', `a${index}@s`, `a${index}#c`]);
  const script = changeScript([zfs], many, []);
  assert.equal(script.read(sh(script.text).stdout).filter((one) => one?.ok).length, 40);
  assert.deepEqual(changeScript([zfs], [], []).read(sh(changeScript([zfs], [], []).text).stdout), []);
});

test('where a channel program may be run, all bookmarks of a pool are made by one', () => {
  const pairs = ['a', 'b x', 'bad', "d'"].map((name) => ['bookmark', `fast/${name}@s`, `fast/${name}#c`]);
  for (const root of [false, true]) {
    asked();
    if (root) writeFileSync(join(folder, 'root'), '');
    const script = changeScript([zfs], [...pairs, ['hold', 'tag', 'fast/a@s']], [['destroy', 'fast/a#old']]);
    const done = script.read(sh(script.text).stdout);
    assert.deepEqual(
      done.map((one) => one?.ok),
      [true, true, false, true, true, undefined],
    );
    if (root) assert.equal(done[2]?.words, 'bookmark exists');
    assert.equal(asked().filter((line) => line.startsWith('bookmark')).length, root ? 0 : 4);
    const good = changeScript(
      [zfs],
      pairs.filter(([, name]) => !name?.includes('bad')),
      [['destroy', 'x#y']],
    );
    assert(good.read(sh(good.text).stdout).every((one) => one?.ok));
  }
  assert.match(readFileSync(join(folder, 'lua'), 'utf8'), /zfs\.sync\.bookmark/);
});

const streamOf = (index: number, source: string, target: string): Stream => ({
  key: `${index}-77`,
  source,
  target,
  send: ['send', source],
  receive: ['receive', '-s', '-u', target],
  toGuid: '77',
  bytes: 5,
});

function pipe(streams: Stream[]) {
  asked();
  const [send, receive] = [join(folder, 'send.sh'), join(folder, 'receive.sh')];
  writeFileSync(send, sendScript([zfs], streams));
  writeFileSync(receive, receiveScript([zfs], streams));
  const { stdout, stderr } = sh(`sh '${send}' | sh '${receive}'`);
  const watch = watchStreams(streams);
  for (const line of stderr.trim().split('\n')) watch.sender(line);
  for (const line of stdout.trim().split('\n')) watch.receiver(line);
  return watch;
}

test('every stream goes into its own dataset through one pipe', () => {
  const watch = pipe([streamOf(0, 'a@s', 't/a b'), streamOf(1, "b'@s", "t/b'"), streamOf(2, 'c@s', 't/c')]);
  assert.deepEqual(
    watch.ends().map(({ sent, received }) => [sent?.ok, received?.ok]),
    [
      [true, true],
      [true, true],
      [true, true],
    ],
  );
  assert.equal(watch.progress().bytesDone, 3000);
  assert.deepEqual(asked(), [
    'receive -s -u t/a b',
    "receive -s -u t/b'",
    'receive -s -u t/c',
    'send a@s',
    "send b'@s",
    'send c@s',
  ]);
});

test('a sender that fails ends the pipe: nothing of a later stream reaches the wrong dataset', () => {
  const watch = pipe([streamOf(0, 'a@s', 't/a'), streamOf(1, 'bad@s', 't/bad'), streamOf(2, 'c@s', 't/c')]);
  const ends = watch.ends();
  assert.deepEqual([ends[0]?.received?.ok, ends[1]?.sent?.ok, ends[1]?.received?.ok], [true, false, false]);
  assert.match(ends[1]?.sent?.words ?? '', /dataset does not exist/);
  assert.deepEqual(ends[2], { sent: undefined, received: undefined });
  assert(!asked().some((line) => line.includes('t/c')));
});

test('a receiver that refuses ends the pipe, too', () => {
  const watch = pipe([streamOf(0, 'a@s', 't/refused'), streamOf(1, 'b@s', 't/b')]);
  const [first, second] = watch.ends();
  assert.match(first?.received?.words ?? '', /destination has been modified/);
  assert.equal(second?.received, undefined);
  assert(!asked().some((line) => line.includes('t/b')));
});

test('a stream that is not the expected one is not received at all', () => {
  asked();
  const { stdout } = sh(receiveScript([zfs], [streamOf(0, 'a@s', 't/a')]), 'holdfast 9-99\nwhatever');
  assert.match(stdout, /out of step/);
  assert.deepEqual(asked(), ['']);
});

test('a command that was killed before it could say how it ended keeps the second half from being begun', () => {
  asked();
  const killed = join(folder, 'killed');
  // Its parent is the one that reports.
  writeFileSync(killed, '#!/bin/sh\n[ "$1" = bookmark ] && kill -9 "$PPID"\nexit 0\n');
  chmodSync(killed, 0o755);
  const script = changeScript([killed], [['bookmark', 'a@s', 'a#c']], [['destroy', 'a#old']]);
  assert.deepEqual(script.read(sh(script.text).stdout), [undefined, undefined]);
  const none = changeScript([killed], [], [['destroy', 'a#old']]);
  assert.deepEqual(none.read(sh(none.text).stdout), [{ ok: true, words: '' }]);
});
