import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partsOf } from '../../activities/zfs/replicate-pipe.js';
import { receiveScript, sendScript } from '../../activities/zfs/replicate-script.js';
import { newReplicaOptions, type Stream } from '../../activities/zfs/replicate-streams.js';
import { asArgument, wrap } from '../../system/ssh-script.js';

/** How many streams one pipe takes: the receiver's program is an argument of the remote shell. */

const zfs = ['sudo', '-n', 'zfs'];

function streamOf(index: number, name: string): Stream {
  const guid = `${18_000_000_000_000_000_000n + BigInt(index)}`;
  const [source, target] = [`fast/${name}-${index}`, `backup/replicas/kubernetes/${name}-${index}`];
  const send = ['send', '-vP', '-L', '-c', '-I', `${source}#holdfast_grogu.tree_${guid}`, `${source}@s`];
  const receive = ['receive', '-s', '-u', ...newReplicaOptions({ type: 'filesystem', guid }), target];
  return { key: `${guid}-${guid}`, source, target, send, receive, toGuid: guid, bytes: 1 };
}

/** As they go over ssh; a text that is too long is refused. */
const argumentOf = (streams: Stream[]): string => {
  const command = { file: 'sh', args: ['-c', receiveScript(zfs, streams)] };
  return asArgument(
    wrap({ command, mark: 'm'.repeat(33), sudo: true, folder: '/var/lib/holdfast', wire: 'in' }),
  );
};

for (const { what, name, most } of [
  { what: 'volumes of a cluster', name: 'pvc-0f6f4d0e-6a1c-4d55-9b11-8c9d4c2e7a10', most: 3 },
  { what: 'names with what a shell finds special', name: `it's "a" $(name) ünï`.repeat(3), most: 8 },
  { what: 'names of 200 characters', name: ' '.repeat(160), most: 20 },
])
  test(`500 new datasets go in few parts, each of which a shell takes as an argument: ${what}`, () => {
    const streams = Array.from({ length: 500 }, (_, index) => streamOf(index, name));
    const parts = partsOf(streams, zfs, zfs);
    assert.deepEqual(parts.flat(), streams);
    assert(parts.length > 1 && parts.length <= most, `${parts.length} parts`);
    for (const part of parts) {
      assert(argumentOf(part).length > 0);
      assert(Buffer.byteLength(sendScript(zfs, part)) < 128 * 1024);
    }
  });

test('few streams are one part', () => {
  const streams = [streamOf(1, 'a'), streamOf(2, 'b')];
  assert.deepEqual(partsOf(streams, zfs, zfs), [streams]);
  assert.deepEqual(partsOf([], zfs, zfs), []);
});
