import { HoldfastError } from '../../contracts/errors.js';
import type { RestoreReport, RestoreStepInput } from '../../contracts/jobs.js';
import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import { addEvidence, type Evidence, type RestoredInPlace, readEvidence } from '../host/evidence.js';
import { markUndone, recordFormerState } from '../host/undo.js';
import { bringBack, takePlaceOf } from './exchange.js';
import { type Exchange, placesOf, planExchange } from './in-place.js';
import { jobWith } from './job.js';

/** The steps of a restore in place: what was restored and compared takes its place; and back, on request. */

/** What stands in the journal while the exchange goes on; the part before the colon says who puts it back. */
export const inPlaceKind = 'in-place';
const journalName = (resource: string): string => `${inPlaceKind}:${resource}`;

/** Only after the comparison, which the evidence knows of. Done again after a crash it goes on. */
export async function takePlace(tools: Tools, input: RestoreStepInput): Promise<RestoreReport> {
  const { host } = tools;
  const { job, resource, store, run } = input;
  jobWith(tools.config, { job, resource, store });
  const what = journalName(resource);
  const evidence = await readEvidence(host);
  const report = evidence.find(
    (entry) =>
      entry.kind === 'restore' && entry.run === run && entry.store === store && entry.inPlaceOf === resource,
  );
  if (report?.kind !== 'restore') throw notProved(run);
  let exchange = evidence.find(isExchangeOf(run))?.exchange ?? openExchange(evidence, run, what);
  if (!exchange) {
    exchange = await planExchange(tools, input);
    if (report.report.target !== exchange.staged) throw notProved(run);
    tools.signal.throwIfAborted();
    await recordFormerState(host, run, what, { ...exchange });
  }
  tools.progress({ phase: 'taking its place' });
  if (!evidence.some(isExchangeOf(run))) await takePlaceOf(host, exchange);
  await addEvidence(host, { kind: 'in-place', run, store, job, resource, exchange });
  await markUndone(host, run, what);
  return reportOf(report.report, exchange);
}

const isExchangeOf =
  (run: string) =>
  (entry: Evidence): entry is Evidence & RestoredInPlace =>
    entry.kind === 'in-place' && entry.run === run;

/** An earlier attempt had begun: what it wrote down then is true, what is on the disk now is its half-done work. */
function openExchange(evidence: readonly Evidence[], run: string, what: string): Exchange | undefined {
  const open = evidence.find(
    (entry) => entry.kind === 'undo-open' && entry.run === run && entry.what === what,
  );
  return open?.kind === 'undo-open' ? (open.former as unknown as Exchange) : undefined;
}

const notProved = (run: string): HoldfastError =>
  new HoldfastError(
    'HF_INTERNAL',
    `${run} has not proved what it restored: it does not take the place of anything`,
  );

function reportOf(report: RestoreReport, { directory, aside, mode, hadDirectory }: Exchange): RestoreReport {
  const warning = `${aside} lies inside the resource: backups leave it out, and it takes room until it is moved away or removed`;
  return {
    ...report,
    target: directory,
    ...(hadDirectory && { movedAside: aside }),
    warnings: [...report.warnings, ...(hadDirectory && mode === 'inside' ? [warning] : [])],
  };
}

/** For the worker's list of what it can put back: after a failure, Terminate or a lost server. */
export const putBackInPlace = (host: Host, _what: string, former: Record<string, unknown>): Promise<void> =>
  bringBack(host, former as unknown as Exchange);

/** What `--undo RUN` does: the former state comes back, the restored one is kept beside it. */
export async function undoInPlace(
  { host, config }: Tools,
  { job, resource, store, run, undo = '' }: RestoreStepInput,
): Promise<RestoreReport> {
  jobWith(config, { job, resource, store });
  const evidence = await readEvidence(host);
  const found = evidence.find(isExchangeOf(undo));
  const restored = evidence.find((entry) => entry.kind === 'restore' && entry.run === undo);
  if (found?.job !== job || found.resource !== resource || restored?.kind !== 'restore') {
    const message = `The host ${host.name} knows of no restore of "${resource}" in place by ${undo}`;
    throw new HoldfastError('HF_RUN_NOT_FOUND', message.slice(0, 300));
  }
  const what = journalName(resource);
  const isDone = evidence.some((entry) => entry.kind === 'undo-done' && entry.run === run);
  const { directory, mode, aside, hadDirectory } = found.exchange;
  const exchange = { ...found.exchange, back: placesOf(directory, mode, run, hadDirectory).back };
  if (!isDone) {
    if (!openExchange(evidence, run, what)) await checkAside(host, exchange);
    await recordFormerState(host, run, what, exchange);
    await bringBack(host, exchange);
    await markUndone(host, run, what);
  }
  return {
    ...restored.report,
    target: directory,
    movedAside: exchange.back,
    verified: [hadDirectory ? `${directory} is again what lay in ${aside}` : `${directory} is gone again`],
    notVerified: [],
    warnings: [],
  };
}

async function checkAside(host: Host, { aside, hadDirectory }: Exchange): Promise<void> {
  if (!hadDirectory || (await host.facts(aside))) return;
  const message = `What was moved aside does not lie in ${aside} any more: it was brought back already, or removed`;
  throw new HoldfastError('HF_NOTHING_TO_DO', message.slice(0, 300), {
    next: 'Nothing was moved; look at the folders beside the resource, and at "holdfast runs"',
  });
}
