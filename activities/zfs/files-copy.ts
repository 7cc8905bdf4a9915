import { HoldfastError } from '../../contracts/errors.js';
import type { Host } from '../../system/host.js';
import { pipeAcross } from '../../system/pipe-across.js';
import { sha256 } from '../../system/sha256.js';
import type { Tools } from '../door.js';
import type { Place } from './files-inventory.js';
import type { Piece } from './files-plan.js';
import { packCommand, packedBytes, unpackCommand } from './files-scripts.js';

/** Files from a mounted snapshot to a folder, on one machine or between two: tar keeps owners, times, lists, attributes, links and holes. */

export interface CopyOptions {
  piece: Piece;
  isRoot: boolean;
  onBytes(bytes: number): void;
}

/** The bytes go from kernel to kernel, by ssh where the machines differ; none passes through a worker. */
export async function copyPiece(
  tools: Tools,
  from: Place,
  to: Place,
  { piece, isRoot, onBytes }: CopyOptions,
): Promise<number> {
  let bytes = 0;
  const lock = `${to.host.stateFolder}/locks/zfs-files-${sha256(to.folder).slice(0, 16)}.lock`;
  const complaints: string[] = [];
  const results = await pipeAcross(
    [
      { host: from.host, command: packCommand(from.folder, piece) },
      { host: to.host, command: unpackCommand(to.folder, isRoot), lock },
    ],
    {
      signal: tools.signal,
      onLine(line, stream, member) {
        if (stream !== 'stderr') return;
        const packed = member === 0 ? packedBytes(line) : undefined;
        if (packed === undefined) complaints.push(line);
        else bytes = packed;
        onBytes(bytes);
      },
    },
  );
  for (const line of complaints.slice(0, 50)) tools.log(`tar: ${line}`);
  results.forEach(({ exitCode, signal }, at) => {
    if (exitCode === 0) return;
    const { host } = at === 0 ? from : to;
    const words = complaints.slice(-2).join(' ') || `exit ${exitCode ?? signal}`;
    throw tarFailure(host, piece, words);
  });
  return bytes;
}

function tarFailure({ name }: Host, { dataset }: Piece, words: string): HoldfastError {
  const code = /no space left/i.test(words) ? 'HF_NO_SPACE' : 'HF_TOOL_FAILED';
  return new HoldfastError(code, `tar failed on "${name}" with files of ${dataset}: ${words}`.slice(0, 300));
}
