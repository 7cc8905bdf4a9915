import type { Finding, FindingLevel } from '../../contracts/doctor.js';
import { exitCodes } from '../exit-codes.js';

/** Findings about one host, written down shortly. Pure. */
export interface Teller {
  ok(subject: string, found: string): Finding;
  note(subject: string, found: string, next?: string): Finding;
  warning(subject: string, found: string, next: string): Finding;
  blocking(subject: string, found: string, next: string): Finding;
}

/** Every finding of one host names it. */
export const about = (host: string): Teller => {
  const finding = (level: FindingLevel, subject: string, found: string, next: string): Finding => ({
    level,
    host,
    subject,
    found,
    next,
  });
  return {
    ok: (subject, found) => finding('ok', subject, found, ''),
    note: (subject, found, next = '') => finding('note', subject, found, next),
    warning: (subject, found, next) => finding('warning', subject, found, next),
    blocking: (subject, found, next) => finding('blocking', subject, found, next),
  };
};

/** 0: nothing that asks for anything; notes are for knowing. */
export function exitOfFindings(findings: readonly Finding[]): number {
  if (findings.some(({ level }) => level === 'blocking')) return exitCodes.failed;
  return findings.some(({ level }) => level === 'warning') ? exitCodes.warnings : exitCodes.done;
}
