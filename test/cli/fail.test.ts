import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { exitCodeMeanings, exitOfOutcome } from '../../cli/exit-codes.js';
import { describeFailure, fail, isConnectionError } from '../../cli/fail.js';
import { withRescue } from '../../cli/restore-run.js';
import { errorOfRun } from '../../cli/run-end.js';
import { type ErrorCode, errors, HoldfastError } from '../../contracts/errors.js';
import { repositoryRoot } from '../support/root.js';

const collect = (json: boolean) => {
  const out: string[] = [];
  const notes: string[] = [];
  return {
    out,
    notes,
    json,
    env: {},
    context: { json, env: {}, out: (t: string) => void out.push(t), note: (t: string) => void notes.push(t) },
  };
};
const grpcError = (code: number, message = 'from the server'): Error =>
  Object.assign(new Error(message), { code });
/** As Temporal wraps what an activity threw. */
const failedRun = (cause: Error): Error =>
  Object.assign(new Error('Workflow execution failed', { cause }), { name: 'WorkflowFailedError' });

describe('an error', () => {
  for (const code of Object.keys(errors) as ErrorCode[]) {
    test(`${code} ends with its exit code and says what to do next`, () => {
      const { context, notes, out } = collect(false);
      assert.equal(fail(context, new HoldfastError(code, 'Something of nas failed')), errors[code].exit);
      assert.deepEqual(notes, ['holdfast: Something of nas failed', `next: ${errors[code].next}`]);
      assert.deepEqual(out, []);
    });

    test(`${code} that a run ended with gives the same exit code`, () => {
      const thrown = ApplicationFailure.create({ type: code, message: 'Something of nas failed' });
      const failure = describeFailure(errorOfRun('photos-1', failedRun(thrown)));
      assert.equal(failure.code, code);
      assert.equal(failure.exit, errors[code].exit);
      assert.equal(failure.message, 'Something of nas failed');
    });
  }

  test('says what the step that failed has said is to be done next, also when it comes out of its run', () => {
    const type = 'HF_TARGET_REFUSED';
    const step = ApplicationFailure.create({ type, message: 'no', details: [{ next: 'List the range' }] });
    const wrapped = Object.assign(new Error('Activity task failed', { cause: step }), {
      name: 'ActivityFailure',
    });
    const ofRun = (code: string) => ApplicationFailure.create({ type: code, message: 'no', cause: wrapped });
    assert.equal(describeFailure(errorOfRun('a-1', failedRun(ofRun(type)))).next, 'List the range');
    const other = describeFailure(errorOfRun('a-1', failedRun(ofRun('HF_NO_SPACE'))));
    assert.equal(other.next, errors.HF_NO_SPACE.next);
  });

  test('of a namespace made by hand, to which nothing was applied yet, says what teaches it', () => {
    const said = grpcError(3, '3 INVALID_ARGUMENT: invalid query: column name HfOperation is not defined');
    const { code, next, exit } = describeFailure(said);
    assert.deepEqual([code, exit], ['HF_TEMPORAL_REFUSED', 4]);
    assert.match(next, /holdfast apply/);
    const other = describeFailure(grpcError(3, '3 INVALID_ARGUMENT: something else'));
    assert.equal(other.code, 'HF_INTERNAL');
  });

  test('with the name of a file or the words of a worker in it does not move the cursor of a terminal', () => {
    const { context, notes } = collect(false);
    const next = 'look \u009b2J there';
    fail(
      context,
      new HoldfastError('HF_RESTORE_DIFFERS', 'first: a\u001b]0;b\u0007\r.jpg\nsecond', { next }),
    );
    assert.deepEqual(notes, ['holdfast: first: a ]0;b  .jpg\nsecond', 'next: look  2J there']);
  });

  test('is one object on standard output with --json', () => {
    const { context, notes, out } = collect(true);
    fail(context, new HoldfastError('HF_NO_SPACE', 'No space on nas'));
    assert.deepEqual(JSON.parse(out.join('')), {
      error: { code: 'HF_NO_SPACE', message: 'No space on nas', next: errors.HF_NO_SPACE.next },
    });
    assert.deepEqual(notes, []);
  });

  test('of the connection ends with 4', () => {
    for (const code of [1, 4, 7, 14, 16])
      assert.equal(describeFailure(grpcError(code)).exit, 4, `gRPC ${code}`);
  });

  test('of the connection, where a restore was asked for, names the way that needs none', () => {
    const cut = () => withRescue(grpcError(14));
    assert.throws(cut, (error) => /holdfast up.*holdfast rescue --help/.test(describeFailure(error).next));
    const other = new TypeError('other');
    assert.throws(() => withRescue(other), other);
  });

  test('about a namespace that does not exist ends with 4 and names the command that makes it', () => {
    const failure = describeFailure(grpcError(5, 'Namespace holdfast is not found.'));
    assert.equal(failure.exit, 4);
    assert.match(failure.next, /holdfast apply/);
  });

  test('of the operating system is no mistake of ours: it names the path and what to look at', () => {
    const refused = (code: string) =>
      describeFailure(Object.assign(new Error(`${code}: open '/state/up.pid.new'`), { code }));
    for (const code of ['EROFS', 'EACCES', 'EPERM']) {
      assert.equal(refused(code).code, 'HF_FILE_REFUSED');
      assert.match(refused(code).message, /\/state\/up\.pid\.new/);
      assert.match(refused(code).next, /HOLDFAST_STATE/);
    }
    assert.equal(refused('ENOSPC').code, 'HF_NO_SPACE');
    assert.equal(refused('ENOTSUP').code, 'HF_INTERNAL');
  });

  test('that nobody expected is ours, and short', () => {
    const failure = describeFailure(new TypeError('x'.repeat(1000)));
    assert.equal(failure.code, 'HF_INTERNAL');
    assert.ok(failure.message.length < 300);
    assert.equal(describeFailure('thrown as text').code, 'HF_INTERNAL');
  });

  test('that passes when Temporal is back is told from all others', () => {
    assert.equal(isConnectionError(new Error('wrapped', { cause: grpcError(14) })), true);
    assert.equal(isConnectionError(grpcError(3)), false);
    assert.equal(isConnectionError(new Error('other')), false);
  });
});

describe('a run that ended badly', () => {
  test('was cancelled, terminated or out of time', () => {
    const codeOf = (cause: Error): ErrorCode => errorOfRun('photos-1', failedRun(cause)).code;
    assert.equal(codeOf(new CancelledFailure('gone')), 'HF_CANCELLED');
    assert.equal(codeOf(new TerminatedFailure('by hand')), 'HF_CANCELLED');
    assert.equal(codeOf(new TimeoutFailure('late', undefined, 'START_TO_CLOSE')), 'HF_TOOL_FAILED');
  });
});

describe('exit codes', () => {
  test('of outcomes are those of the contract', () => {
    const outcomes = ['ok', 'warnings', 'failed', 'refused', 'cancelled'] as const;
    assert.deepEqual(outcomes.map(exitOfOutcome), [0, 6, 1, 5, 1]);
  });

  test('of the table are all explained on the reference page', () => {
    const page = readFileSync(join(repositoryRoot, 'docs/reference/commands.md'), 'utf8');
    assert.deepEqual(
      exitCodeMeanings.map(([code]) => code),
      [0, 1, 2, 3, 4, 5, 6, 130, 141],
    );
    for (const [code] of exitCodeMeanings) assert.match(page, new RegExp(`^\\| ${code} \\|`, 'm'));
  });
});
