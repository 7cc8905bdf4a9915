import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classify } from '../../activities/restic/classify.js';
import { followProgress } from '../../activities/restic/progress.js';
import { type ErrorCode, errors, HoldfastError } from '../../contracts/errors.js';

const failureOf = (stderrTail: string, verb = 'backup'): HoldfastError => {
  const verdict = classify({ exitCode: 1, stderrTail, verb, store: 'vault' });
  assert.ok(verdict instanceof HoldfastError, stderrTail);
  return verdict;
};
const exit = (message: string): string => JSON.stringify({ message_type: 'exit_error', code: 1, message });

test('a folder of restic itself that refuses it is not the store that refuses us', () => {
  const id = '3e915e7db6441508e79d93942b36e38a82008d6aff59618d56bd1ccd66cce09e';
  const cases: [string, ErrorCode][] = [
    // As 0.14 and 0.18 say it.
    [
      'Fatal: unable to save snapshot: fs.TempFile: open /tmp/x y/restic-temp-pack-148: permission denied',
      'HF_TOOL_FOLDER',
    ],
    [
      exit(
        'Fatal: unable to save snapshot: failed to save blob from file "/a": open /t/restic-temp-pack-24: no such file or directory',
      ),
      'HF_TOOL_FOLDER',
    ],
    [exit(`mkdir /state/cache/restic/${id}/index/b5: permission denied`), 'HF_TOOL_FOLDER'],
    [
      'Fatal: unable to save snapshot: open /tmp/restic-temp-pack-148: no space left on device',
      'HF_NO_SPACE',
    ],
    [
      'Fatal: unable to save snapshot: open /srv/repository/data/00/x-tmp-1: permission denied',
      'HF_STORE_DENIED',
    ],
  ];
  for (const [words, code] of cases) assert.equal(failureOf(words).code, code, words);
  assert.match(
    failureOf(cases[0]?.[0] ?? '').message,
    /in a folder of its own: .*restic-temp-pack-148: permission denied$/,
  );
});

test('a store that lets nobody write is not called locked, because no lock could be made in it', () => {
  const place = '/srv/r/locks/83bcb06e50-tmp-9976: permission denied';
  const old = `Save(<lock/83bcb06e50>) returned error, retrying after 5.6s: open ${place}\nopen ${place}\ngithub.com/restic/restic/internal\nunable to create lock in backend`;
  assert.equal(failureOf(old).code, 'HF_STORE_DENIED');
  assert.equal(failureOf(exit(`unable to create lock in backend: open ${place}`)).code, 'HF_STORE_DENIED');
});

test('a wrong password that is a word of the message itself, and so blanked out of it, is told as one', () => {
  for (const words of [
    '*** password or no key found',
    'wrong *** or no key found',
    'wrong password or no *** found',
  ])
    assert.equal(failureOf(`Fatal: ${words}`).code, 'HF_WRONG_PASSWORD');
});

test('no message says what the table says is next: the command line would say it twice', () => {
  const words = [
    'wrong password or no key found',
    'repository is already locked by PID 1 on x by y',
    'dial tcp',
    'new',
  ];
  for (const word of words) {
    const { code, message } = failureOf(`Fatal: ${word}`);
    assert.ok(!message.includes(errors[code].next), message);
    assert.match(message, /"vault"/);
  }
});

test('no rate is told before there was time to measure one', () => {
  const told: (number | undefined)[] = [];
  const hear = followProgress({ progress: ({ bytesPerSecond }) => void told.push(bytesPerSecond) }, 'upload');
  for (const bytesDone of [0, 50_000_000_000])
    hear({ kind: 'status', bytesDone, bytesTotal: 10 ** 12, filesDone: 1, filesTotal: 9 });
  assert.deepEqual(told, [undefined, 0, 0]);
});
