import type { Finding, LockFacts, SecretFacts, SourceFacts, StoreFacts } from '../../contracts/doctor.js';
import { errors, isErrorCode } from '../../contracts/errors.js';
import type { Teller } from './findings.js';

/** Sources and stores as a host sees them. Pure. */

export function judgeSource(tell: Teller, facts: SourceFacts): Finding {
  const { resource, directory, error, unreadable, warning } = facts;
  const { next = 'Add "content" lines to snapraid.conf, each on another disk' } = facts;
  const subject = `source ${resource}`;
  if (error !== undefined) return tell.blocking(subject, error, errors.HF_SOURCE_MISSING.next);
  if (unreadable !== undefined)
    return tell.warning(
      subject,
      `the worker may not read ${unreadable}: unless a job excludes it, it is missing in every copy`,
      'Run the worker as root, or give its user the right to read',
    );
  if (warning !== undefined) return tell.warning(subject, warning, next);
  return tell.ok(subject, `${directory} is there and can be read`);
}

const staleAfterMs = 30 * 60_000;

/** `nowMs` is of the clock by which the locks were read. */
export function judgeStore(tell: Teller, facts: StoreFacts, nowMs: number): Finding[] {
  const secrets = facts.secrets.flatMap((secret) => judgeSecret(tell, facts.store, secret));
  const answer = judgeAnswer(tell, facts);
  return [
    ...(answer ? [answer] : []),
    ...judgeRest(tell, facts),
    ...secrets,
    ...judgeLocks(tell, facts, nowMs),
  ];
}

function judgeRest(tell: Teller, { store, error, mayBeAppendOnly }: StoreFacts): Finding[] {
  if (!mayBeAppendOnly || error) return [];
  const found = 'a REST server; if it takes additions only, retention cannot remove anything from here';
  return [tell.note(`store ${store}`, found)];
}

function judgeAnswer(tell: Teller, { store, error, format, secrets }: StoreFacts): Finding | undefined {
  const subject = `store ${store}`;
  if (!error) return judgeFormat(tell, subject, format);
  // The secret that is missing says more than that something is.
  if (error.code === 'HF_SECRET_UNAVAILABLE' && secrets.some((secret) => secret.error !== undefined))
    return undefined;
  return tell.blocking(subject, error.message, nextFor(error.code, store));
}

function judgeFormat(tell: Teller, subject: string, format: number | undefined): Finding {
  const found = `answers and opens with its password, repository format ${format ?? 'unknown'}`;
  if (format === 1)
    return tell.note(
      subject,
      `${found}, which cannot compress`,
      'If you want it to: "restic migrate upgrade_repo_v2"',
    );
  return tell.ok(subject, found);
}

function nextFor(code: string, store: string): string {
  if (code === 'HF_STORE_MISSING')
    return `If it was never made: "holdfast init-store ${store}"; if there was one, find out where it went first`;
  return isErrorCode(code) ? errors[code].next : 'Look at the log of the worker';
}

/** Of a store, or of another thing that needs one. */
export function judgeSecret(
  tell: Teller,
  owner: string,
  { of, place, error, exposed }: SecretFacts,
): Finding[] {
  const subject = `secret ${of} of ${owner}`;
  if (error !== undefined) return [tell.blocking(subject, error, errors.HF_SECRET_UNAVAILABLE.next)];
  switch (exposed) {
    case 'readable':
      return [tell.warning(subject, `everybody on the host can read ${place}`, 'chmod 600 the file')];
    case 'writable':
      return [tell.warning(subject, `others than its owner can change ${place}`, 'chmod 600 the file')];
    case 'hidden':
      return [
        tell.note(
          subject,
          `only the folder around ${place} keeps others from reading it`,
          'chmod 600 the file',
        ),
      ];
    default:
      return [tell.ok(subject, `${place} gives it`)];
  }
}

function judgeLocks(tell: Teller, { store, locks, moreLocks }: StoreFacts, nowMs: number): Finding[] {
  const found = locks.map((lock) => judgeLock(tell, store, lock, nowMs));
  const more = moreLocks ? [tell.warning(`locks of ${store}`, `${moreLocks} more`, lockNext)] : [];
  return [...found, ...more];
}

const lockNext =
  'If that process is dead: "restic unlock" (never --remove-all); until then retention and checks wait';

/** restic refreshes a lock every five minutes: one that was not for half an hour has no living holder, or a wrong clock. */
function judgeLock(
  tell: Teller,
  store: string,
  { id, since, by, exclusive }: LockFacts,
  nowMs: number,
): Finding {
  const subject = `lock ${id} of ${store}`;
  const ageMs = nowMs - Date.parse(since);
  const kind = exclusive ? 'exclusive, ' : '';
  if (Number.isNaN(ageMs)) return tell.note(subject, 'could not be read; it may be gone by now');
  const minutes = Math.round(ageMs / 60_000);
  const found = `${kind}held by ${by}, refreshed ${minutes} min ago`;
  if (ageMs > staleAfterMs) return tell.warning(subject, found, lockNext);
  return tell.note(subject, found);
}
