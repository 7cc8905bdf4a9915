import type { Finding, FindingLevel } from '../../contracts/doctor.js';
import type { Context } from '../context.js';
import { printable } from '../printable.js';

/** Findings as people read them: by host, the worst first, each with what to do. */

const order: readonly FindingLevel[] = ['blocking', 'warning', 'note', 'ok'];

/** The sum comes last, where the eye is when the list is long. */
export function renderFindings(
  { colours }: Pick<Context, 'colours'>,
  findings: readonly Finding[],
): string[] {
  const paint: Record<FindingLevel, (text: string) => string> = {
    blocking: colours.red,
    warning: colours.yellow,
    note: colours.cyan,
    ok: colours.green,
  };
  const hosts = [...new Set(findings.map(({ host }) => host))];
  const groups = hosts.map((host) => {
    const own = findings.filter((finding) => finding.host === host);
    const sorted = [...own].sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
    const lines = sorted.flatMap(({ level, subject, found, next }) => [
      `  ${paint[level](level.padEnd(8))}  ${printable(`${subject}: ${found}`)}`,
      ...(next ? [`            next: ${printable(next)}`] : []),
    ]);
    return [colours.bold(host), ...lines];
  });
  return [...groups.flat(), sum(findings)];
}

function sum(findings: readonly Finding[]): string {
  const count = (wanted: FindingLevel): number => findings.filter(({ level }) => level === wanted).length;
  const warnings = count('warning');
  const notes = count('note');
  return [
    `${count('blocking')} blocking`,
    `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`,
    `${notes} ${notes === 1 ? 'note' : 'notes'}`,
    `${count('ok')} fine`,
  ].join(', ');
}
