import type { Finding } from '../../contracts/doctor.js';
import type { LeftoverFacts, LeftoverGroup } from '../../contracts/leftovers.js';
import type { Teller } from './findings.js';
import { quoted } from './judge-pools.js';

/** What replications that were taken out of the file, and forgotten runs, have left in pools. Pure. */

const subject = 'leftovers';

export function judgeLeftovers(
  tell: Teller,
  { groups, groupCount, lines, lineCount, half = [], halfCount = 0, unasked = 0, error }: LeftoverFacts,
  usesZfs: boolean,
): Finding[] {
  // A zfs without a pool or without its module is nobody's concern where nothing lies in one.
  if (error !== undefined)
    return usesZfs
      ? [tell.note(subject, `whether removed jobs have left something is not known: ${error}`)]
      : [];
  const more = groupCount - groups.length;
  return [
    ...groups.map((group) => judgeGroup(tell, group)),
    ...lines.map((line) =>
      tell.note(subject, 'no job of the file covers it', `As root there, if nobody uses it: ${line}`),
    ),
    ...(lineCount > lines.length
      ? [
          tell.note(
            subject,
            `${lineCount - lines.length} more that no job covers`,
            'Give these lines first, then ask again',
          ),
        ]
      : []),
    ...(more > 0
      ? [tell.warning(subject, `${more} more of other destinations`, 'Release these first, then ask again')]
      : []),
    ...half.map((dataset) => judgeHalf(tell, dataset)),
    ...(halfCount > half.length
      ? [
          tell.warning(
            subject,
            `${halfCount - half.length} more half received streams`,
            'Give these up first, then ask again',
          ),
        ]
      : []),
    ...(unasked > 0
      ? [
          tell.note(
            subject,
            `${unasked} held snapshots are too many to ask who holds them: what is said here may not be all`,
          ),
        ]
      : []),
  ];
}

/** What nobody here remembers may be another configuration's: that is for knowing. */
function judgeGroup(tell: Teller, { words, isRemembered, isReading, job }: LeftoverGroup): Finding {
  const found = `${words}; ${isReading ? 'the state folder here knows of no such run' : 'no job of the file knows them'}`;
  const setting = isRemembered ? '' : ' --set unknown=release';
  const whose = isReading
    ? 'If these runs are over (holdfast status), and no other holdfast.yaml reads there: '
    : 'If no other holdfast.yaml replicates it: ';
  const sure = isRemembered ? '' : whose;
  const next =
    job === undefined
      ? `${sure}release them with "zfs release" and "zfs destroy DATASET#BOOKMARK": the lines follow`
      : `${sure}holdfast do ${job} release-leftovers${setting} (shows each and asks)`;
  return isRemembered ? tell.warning(subject, found, next) : tell.note(subject, found, next);
}

/** Nothing of it can be read before the rest has come, which nobody sends. */
const judgeHalf = (tell: Teller, dataset: string): Finding =>
  tell.warning(
    subject,
    `${dataset} holds half a stream, and no job of the file goes on with it`,
    `As root there, if no other holdfast.yaml does and no restore into it is under way (holdfast status shows it): zfs receive -A ${quoted(dataset)} (a dataset that began with it goes as well)`,
  );
