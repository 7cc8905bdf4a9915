import { HoldfastError } from '../../contracts/errors.js';
import type { PoolStatus, Scan } from './pool-status.js';

/** `zpool status -p -v` of ZFS before 2.3, which knows no JSON. Asked with LC_ALL=C and TZ=UTC. Pure. */

/** The part of the report under one heading, without it. */
function section(text: string, heading: string): string {
  const [, body = ''] =
    new RegExp(
      `^ *${heading}: ?([^]*?)(?=^ *(?:pool|state|status|action|see|scan|config|errors): ?|(?![^]))`,
      'm',
    ).exec(text) ?? [];
  return body.trim();
}

export function parsePoolText(text: string, pool: string): PoolStatus {
  const state = section(text, 'state').split('\n')[0] ?? '';
  if (section(text, 'pool').split('\n')[0] !== pool || !/^[A-Z]+$/.test(state)) {
    throw new HoldfastError(
      'HF_TOOL_FAILED',
      `zpool status cannot be understood: it does not speak of "${pool}"`,
    );
  }
  const errorFiles = errorFilesOf(text);
  return {
    pool,
    state,
    scan: scanOf(section(text, 'scan')),
    errorCount: errorCountOf(text, errorFiles),
    errorFiles,
  };
}

function errorFilesOf(text: string): string[] {
  const [words = '', ...lines] = section(text, 'errors').split('\n');
  if (!words.startsWith('Permanent errors')) return [];
  return lines.map((line) => line.trim()).filter((line) => line !== '');
}

/** A pool of which nothing is said is not a sound one: who may not read the list of errors is told nothing at all. */
function errorCountOf(text: string, files: readonly string[]): number {
  const words = section(text, 'errors').split('\n')[0] ?? '';
  if (words === 'No known data errors') return 0;
  if (words.startsWith('Permanent errors')) return Math.max(1, files.length);
  const [, counted] = /^(\d+) data errors?/.exec(words) ?? [];
  if (counted !== undefined) return Number(counted);
  throw new HoldfastError(
    'HF_TOOL_FAILED',
    `zpool status does not say whether data is damaged${words === '' ? '' : `: ${words.slice(0, 100)}`}. May the user read it?`,
  );
}

const dateForm = '[A-Z][a-z]{2} [A-Z][a-z]{2} +\\d+ \\d\\d:\\d\\d:\\d\\d \\d{4}';

/** Asked in UTC. */
const secondsOf = (date: string | undefined): number =>
  date === undefined ? 0 : Math.floor(Date.parse(`${date.replace(/ +/g, ' ')} UTC`) / 1000);

const unitBytes: Record<string, number> = {
  B: 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
  P: 2 ** 50,
};

function bytesOf(size: string | undefined): number {
  const [, amount, unit = 'B'] = /^([\d.]+)([BKMGTP]?)/.exec(size ?? '') ?? [];
  return amount === undefined ? 0 : Math.round(Number(amount) * (unitBytes[unit || 'B'] ?? 1));
}

function scanOf(text: string): Scan | undefined {
  if (text === '' || text.startsWith('none requested')) return undefined;
  const kind = text.startsWith('resilver') ? 'resilver' : 'scrub';
  const [first = ''] = text.split('\n');
  const dates = text.match(new RegExp(dateForm, 'g')) ?? [];
  const state = stateOf(first);
  const [, repaired] =
    /(?:repaired|resilvered) ([\d.]+[BKMGTP]?)/.exec(first) ??
    /([\d.]+[BKMGTP]?) (?:repaired|resilvered)/.exec(text) ??
    [];
  const [, total] = /\/ ?([\d.]+[BKMGTP]?) scanned/.exec(text) ?? [];
  const [, share] = /([\d.]+)% done/.exec(text) ?? [];
  const bytesTotal = bytesOf(total);
  const goesOn = state === 'running' || state === 'paused';
  return {
    kind,
    state,
    startedS: goesOn ? secondsOf(dates.at(-1)) : 0,
    endedS: goesOn ? 0 : secondsOf(dates[0]),
    bytesDone: share === undefined ? -1 : Math.round((bytesTotal * Number(share)) / 100),
    bytesTotal,
    repairedBytes: bytesOf(repaired),
    errors: Number(/with (\d+) errors/.exec(first)?.[1] ?? 0),
  };
}

function stateOf(first: string): Scan['state'] {
  if (/ in progress/.test(first)) return 'running';
  if (/ paused/.test(first)) return 'paused';
  if (/ canceled/.test(first)) return 'canceled';
  if (/^(scrub repaired|resilvered)/.test(first)) return 'finished';
  throw new HoldfastError('HF_TOOL_FAILED', `zpool status cannot be understood: ${first.slice(0, 100)}`);
}
