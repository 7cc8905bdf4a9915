import type { ZfsReplicationJob } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Command, Host } from '../../system/host.js';

/** Programs between sender and receiver, on either side of the wire: mbuffer, pv, zstd. */

export interface Wire {
  onSource: Command[];
  onTarget: Command[];
}

/** Either of them holds a stream back, wherever it stands: what it does not take, the sender does not send. */
export const limiters = ['mbuffer', 'pv'] as const;

const limiterArguments: Record<(typeof limiters)[number], (bytesPerSecond: number) => string[]> = {
  mbuffer: (rate) => ['-q', '-m', '16M', '-r', String(rate)],
  pv: (rate) => ['-q', '-L', String(rate)],
};

/** Asked for first, because a pipe that breaks says little. */
export async function wireBetween(
  { buffer, compress, limit }: Pick<ZfsReplicationJob, 'buffer' | 'compress' | 'limit'>,
  source: Host,
  target: Host,
): Promise<Wire> {
  const wire: Wire = { onSource: [], onTarget: [] };
  if (limit !== undefined) await addLimiter(wire, limit, source, target);
  if (buffer !== undefined) await addBuffers(wire, buffer, source, target);
  if (!compress) return wire;
  const find = (host: Host) => (compress === 'auto' ? host.findProgram('zstd') : host.requireProgram('zstd'));
  const [packs, unpacks] = [await find(source), await find(target)];
  if (packs === undefined || unpacks === undefined) return wire;
  // What is limited is what goes over the wire.
  wire.onSource.unshift({ file: packs, args: ['-q', '-3', '-c'] });
  wire.onTarget.push({ file: unpacks, args: ['-q', '-d', '-c'] });
  return wire;
}

/** One alone would keep an end moving, but a host that has it and one that has not is as a rule a mistake: both or none. */
async function addBuffers(wire: Wire, bytes: number, source: Host, target: Host): Promise<void> {
  const fills = await source.findProgram('mbuffer');
  const drains = await target.findProgram('mbuffer');
  if (fills === undefined || drains === undefined) return;
  const args = ['-q', '-s', '128k', '-m', String(bytes)];
  wire.onSource.push({ file: fills, args });
  wire.onTarget.push({ file: drains, args });
}

async function addLimiter(wire: Wire, limit: number, source: Host, target: Host): Promise<void> {
  for (const [host, members] of [
    [source, wire.onSource],
    [target, wire.onTarget],
  ] as const)
    for (const program of limiters) {
      const file = await host.findProgram(program);
      if (file === undefined) continue;
      members.push({ file, args: limiterArguments[program](limit) });
      return;
    }
  const names = [...new Set([source.name, target.name])].map((name) => `"${name}"`).join(' or ');
  throw new HoldfastError(
    'HF_TOOL_MISSING',
    `"limit" of the job needs ${limiters.join(' or ')} on ${names}: install one of them, or take "limit" out. Nothing was sent`,
  );
}
