import type { SshFacts } from '../../contracts/doctor.js';
import { now } from '../../system/clock.js';
import type { Host } from '../../system/host.js';

/** What is asked of a host that is driven over ssh besides: whether it lets us do what the file says, and how far its clock is off. */

/** Throws what is wrong with the way there; undefined for a machine that is not reached over ssh. */
export async function lookOverSsh(host: Host, signal: AbortSignal): Promise<SshFacts | undefined> {
  if (!host.remote) return undefined;
  const { address, port, user, sudo } = host.remote.target();
  // The connection is there before the clock is looked at: logging in takes time of its own.
  const { stdout: uid } = await host.run({ file: 'id', args: ['-u'] }, { signal });
  const beforeMs = now().getTime();
  const { stdout: time } = await host.run({ file: 'date', args: ['+%s%3N'] }, { signal });
  const afterMs = now().getTime();
  return {
    place: `${user}@${address}:${port}`,
    uid: Number(uid),
    clock: { beforeMs, hostMs: Number(time), afterMs },
    // zfs ends with its pipes; restic of root must be told to stop, and only root may.
    sudo: await Promise.all(
      (sudo.includes('restic') ? [...sudo, 'kill'] : sudo).map((program) => mayRun(host, program, signal)),
    ),
  };
}

/** Asks sudo what it would allow; nothing is run. */
async function mayRun(host: Host, program: string, signal: AbortSignal): Promise<SshFacts['sudo'][number]> {
  if ((await host.findProgram('sudo')) === undefined) return { program, error: 'sudo is not installed' };
  const { exitCode, stderrTail } = await host.run(
    { file: 'sudo', args: ['-n', '-l', '--', program] },
    { signal },
  );
  return exitCode === 0
    ? { program }
    : { program, error: stderrTail.trim().slice(0, 150) || 'sudo does not allow it' };
}
