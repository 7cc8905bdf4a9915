import type { Finding, SshFacts } from '../../contracts/doctor.js';
import type { Teller } from './findings.js';
import { offsetMs } from './judge-clock.js';

/** A host that another one's worker drives over ssh. Pure. */

const warningMs = 5_000;

export function judgeSsh(tell: Teller, { place, uid, clock, sudo }: SshFacts): Finding[] {
  const offset = offsetMs(clock);
  const seconds = Math.round(Math.abs(offset) / 1000);
  const denied = sudo.filter(({ error }) => error !== undefined);
  const allowed = sudo.filter(({ error }) => error === undefined).map(({ program }) => program);
  return [
    tell.ok('ssh', `${place} lets us in${uid === 0 ? ' as root' : ''}, its key is the known one`),
    Math.abs(offset) > warningMs
      ? tell.warning(
          'its clock',
          `at least ${seconds} s ${offset < 0 ? 'behind' : 'ahead of'} its worker's`,
          'Set the clock there (chrony, systemd-timesyncd): ages of locks are reckoned with it',
        )
      : tell.ok('its clock', "agrees with its worker's within 5 s"),
    ...denied.map((entry) => judgeDenied(tell, entry)),
    ...(allowed.length > 0 ? [tell.ok('sudo', allowed.join(', '))] : []),
  ];
}

function judgeDenied(tell: Teller, { program, error = '' }: SshFacts['sudo'][number]): Finding {
  const next = `Allow it in sudoers there: "USER ALL=(root) NOPASSWD:SETENV: /path/of/${program}"`;
  if (program !== 'kill') return tell.blocking(`sudo ${program}`, error, next);
  return tell.warning('sudo kill', `a cancelled restic of root goes on to its end: ${error}`, next);
}
