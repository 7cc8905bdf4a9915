import { HoldfastError } from '../../contracts/errors.js';
import type { SnapraidLookInput } from '../../contracts/snapraid.js';
import { wait } from '../../system/clock.js';
import type { SnapArray } from './array.js';

/** Does the share of the array answer? A service that was paused and is not back is noticed before the family does. */

type Share = NonNullable<SnapArray['config']['share']>;

/** A service that was just started or thawed needs a moment. */
const patience = { tries: 5, betweenMs: 2_000 };
const answersWithinSeconds = 20;

/** undefined when it answers, or none is named. Throws where the work must not begin without it. */
export async function shareSilent(
  array: SnapArray,
  { after, resource }: SnapraidLookInput,
  { tries, betweenMs } = patience,
): Promise<string | undefined> {
  const { share } = array.config;
  const { host, signal, log } = array.tools;
  if (share === undefined) return undefined;
  let silent: string | undefined;
  for (let done = 1; ; done += 1) {
    silent = await whySilent(array, share);
    if (silent === undefined) return undefined;
    if (done >= tries) break;
    await wait(betweenMs, signal);
  }
  log(silent);
  if (share.silent === 'warn' || after) return silent;
  throw new HoldfastError('HF_SOURCE_MISSING', `Nothing is begun with "${resource}": ${silent}`, {
    next: `Look at Samba on "${host.name}", or let "silent" of the share be "warn"`,
  });
}

async function whySilent(array: SnapArray, share: Share): Promise<string | undefined> {
  const { host, log } = array.tools;
  if ((await host.findProgram('smbclient')) !== undefined) return askShare(array, share);
  if ((await host.findProgram('bash')) === undefined)
    return `the share ${share.samba} cannot be asked for: smbclient is not on "${host.name}"`;
  log(`share ${share.samba}: smbclient is not there; only its port is looked at`);
  return askPort(array, share);
}

/** Connects, as a user's machine would, and lists the folder: exit 0 only when both went well. */
async function askShare({ tools }: SnapArray, share: Share): Promise<string | undefined> {
  const { host, signal, log } = tools;
  const { samba, address, port, credentials } = share;
  const who = credentials === undefined ? ['--no-pass'] : ['--authentication-file', credentials];
  const args = [`//${address}/${samba}`, '--port', `${port}`, ...who, '--command', 'ls'];
  // Its own --timeout is for each message; a server that hangs in the middle would hold the run.
  const limited = ['--kill-after=5', `${answersWithinSeconds}`, 'smbclient', ...args];
  const {
    exitCode,
    signal: by,
    stdout,
    stderrTail,
  } = await host.run({ file: 'timeout', args: limited, env: { LC_ALL: 'C' } }, { signal });
  if (exitCode === 0) {
    log(`share ${samba}: answers (smbclient)`);
    return undefined;
  }
  // Nothing else of what it says: that may name users.
  const status = /\bNT_STATUS_[A-Z_]+/.exec(`${stdout}${stderrTail}`)?.[0];
  const why =
    exitCode === 124 ? `no answer within ${answersWithinSeconds} s` : (status ?? `exit ${exitCode ?? by}`);
  return `the share ${samba} at ${address}:${port} does not answer (smbclient: ${why})`;
}

async function askPort({ tools }: SnapArray, share: Share): Promise<string | undefined> {
  const { samba, address, port } = share;
  const script = 'exec 3<>"/dev/tcp/$0/$1"';
  const args = [`${answersWithinSeconds}`, 'bash', '-c', script, address, `${port}`];
  const { exitCode } = await tools.host.run({ file: 'timeout', args }, { signal: tools.signal });
  if (exitCode === 0) return undefined;
  return `the share ${samba} does not answer: nothing takes connections at ${address}:${port} (looked at by port, without smbclient)`;
}
