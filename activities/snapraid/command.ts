import type { Command } from '../../system/host.js';

/** How snapraid is asked. Pure. */

export interface Called {
  file: string;
  config: string;
  /** Empty folders stand for disks that are away: several lie on one device then, which snapraid refuses. */
  hasStandIns?: true;
}

export type Verb =
  | { verb: 'status' | 'diff' | 'touch' | 'smart' | 'down' }
  | { verb: 'list'; verbose?: true }
  | { verb: 'sync'; prehash: boolean; forceZero?: boolean; forceEmpty?: boolean }
  | { verb: 'scrub'; plan: 'bad' | number; olderThanDays: number; withinSeconds?: number }
  | { verb: 'fix'; what: FixWhat }
  | { verb: 'check'; what: FixWhat; auditOnly?: boolean; verbose?: true };

/** `bad`: blocks that a scrub found. `disk`: all of one disk or parity. `missing`: files that are gone, by patterns. */
export type FixWhat = { bad: true } | { disk: string } | { missing: readonly string[] };

/**
 * Of questions alone: whatever writes is never asked so. `--force-device`, which is made for this, is taken by check and not by status and
 * diff; the one of snapraid's own tests leaves the same guards out (one device for each disk, a list of files on enough of them).
 */
const standInOptions = ({ hasStandIns }: Called, { verb }: Verb): string[] =>
  hasStandIns && ['status', 'diff', 'check', 'list'].includes(verb) ? ['--test-skip-device'] : [];

function argumentsOf(asked: Verb): string[] {
  switch (asked.verb) {
    case 'sync':
      return [
        ...(asked.prehash ? ['--pre-hash'] : []),
        ...(asked.forceZero ? ['--force-zero'] : []),
        ...(asked.forceEmpty ? ['--force-empty'] : []),
        'sync',
      ];
    case 'scrub':
      // An age goes with a percentage alone.
      if (asked.plan === 'bad') return ['--plan', 'bad', 'scrub'];
      return ['--plan', `${asked.plan}`, '--older-than', `${asked.olderThanDays}`, 'scrub'];
    case 'fix':
      return [...selection(asked.what), 'fix'];
    case 'check':
      return [
        ...(asked.verbose ? ['--verbose'] : []),
        ...selection(asked.what),
        ...(asked.auditOnly ? ['--audit-only'] : []),
        'check',
      ];
    case 'list':
      return [...(asked.verbose ? ['--gui-verbose'] : []), 'list'];
    default:
      return [asked.verb];
  }
}

function selection(what: FixWhat): string[] {
  if ('bad' in what) return ['--filter-error'];
  if ('disk' in what) return ['--filter-disk', what.disk];
  return ['--filter-missing', ...what.missing.flatMap((pattern) => ['--filter', pattern])];
}

/** A status has a line for each block, of which those with the word "bad" matter, a diff one for each file that is as it was. */
const dull = ['-e', '^scan:equal:', '-e', '^block:[^b]*$'];

/**
 * The tags go where nothing else is written: names of files, which may hold line breaks, are printed as they are on standard output.
 * /dev/fd/3 must be a pipe, which can be opened again: our own standard output is a socket. The exit code is that of snapraid.
 */
const askScript = `exec 4>&1
code=$( { { "$@" 3>&1 >/dev/null 4>&- 5>&-; echo "$?" >&5; } | grep -a -v ${dull.join(' ')} >&4; } 5>&1 )
exit "$code"`;

export function askCommand(called: Called, asked: Verb): Command {
  const options = [...standInOptions(called, asked), ...argumentsOf(asked)];
  const args = [called.file, '--conf', called.config, '--gui', '--log', '/dev/fd/3', ...options];
  return { file: 'sh', args: ['-c', askScript, 'sh', ...args], env };
}

/**
 * Work of hours writes its tags, and what it says to people, to files: it goes on, and its end can be read, when our worker is gone.
 * A pipe that nobody reads any more would end it.
 */
export function workCommand(called: Called, asked: Verb, logFile: string): Command {
  const options = [...standInOptions(called, asked), ...argumentsOf(asked)];
  const args = [
    ...limitOf(asked),
    called.file,
    '--conf',
    called.config,
    '--gui',
    '--log',
    logFile,
    ...options,
  ];
  return { file: 'sh', args: ['-c', 'exec "$@" >/dev/null 2>"$0"', `${logFile}.err`, ...args], env };
}

/** Exit code of a work whose time was over; it was told to stop, and had five minutes to write its content files. */
export const timeOver = 124;

/** Not our own clock: an orphan ends in time, too. */
const limitOf = (asked: Verb): string[] =>
  asked.verb === 'scrub' && asked.withinSeconds !== undefined
    ? ['timeout', '--foreground', '--signal=INT', '--kill-after=300', `${asked.withinSeconds}`]
    : [];

/** What is worth reading of such a file. */
export const readLogCommand = (file: string): Command => ({
  file: 'grep',
  args: ['-a', '-v', ...dull, '--', file],
  env,
});

const env = { LC_ALL: 'C', TZ: 'UTC' };
