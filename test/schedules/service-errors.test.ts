import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ScheduleNotFoundError, ServiceError } from '@temporalio/client';
import { HoldfastError } from '../../contracts/errors.js';
import { asHoldfastError, statusOf } from '../../schedules/service-errors.js';

const grpcError = (code: number, details: string) =>
  Object.assign(new Error(`${code} ERROR: ${details}`), { code, details, metadata: {} });
const wrapped = (code: number, details: string) =>
  new ServiceError('Failed to update schedule', { cause: grpcError(code, details) });

describe('errors of the server in words for the operator', () => {
  test('a server that is away is told from one that refuses, also when the SDK has wrapped it', () => {
    const codes = [
      grpcError(14, 'gone'),
      wrapped(4, 'too slow'),
      grpcError(7, 'no'),
      wrapped(16, 'who?'),
    ].map((error) => asHoldfastError(error, 'apply schedule hf-photos').code);
    assert.deepEqual(codes, [
      'HF_TEMPORAL_UNREACHABLE',
      'HF_TEMPORAL_UNREACHABLE',
      'HF_TEMPORAL_REFUSED',
      'HF_TEMPORAL_REFUSED',
    ]);
  });

  test('the reason of the server is in the message', () => {
    assert.equal(
      asHoldfastError(wrapped(3, 'HfJob is not registered'), 'apply schedule hf-photos').message,
      'Could not apply schedule hf-photos: HfJob is not registered',
    );
    assert.equal(
      asHoldfastError(new ScheduleNotFoundError('no such schedule', 'hf-a'), 'pause job a').message,
      'Could not pause job a: no such schedule',
    );
  });

  test('a spec that the server does not take is a mistake in the configuration', () => {
    const error = asHoldfastError(
      new TypeError('unknown time zone Mars/Olympus'),
      'apply schedule hf-photos',
    );
    assert.equal(error.code, 'HF_CONFIG_INVALID');
  });

  test('the longest of them stays below 300 characters', () => {
    const error = asHoldfastError(wrapped(3, 'x'.repeat(5000)), `apply schedule hf-${'a'.repeat(63)}.check`);
    assert.ok(error.message.length < 300);
  });

  test('an error of our own goes through as it is', () => {
    const own = new HoldfastError('HF_RUN_NOT_FOUND', 'Job a has no schedule');
    assert.equal(asHoldfastError(own, 'pause job a'), own);
  });

  test('what did not come over the wire has no status', () => {
    assert.equal(statusOf(wrapped(5, 'gone')), 5);
    assert.equal(statusOf(new RangeError('month 13')), undefined);
    assert.equal(statusOf('text'), undefined);
  });
});
