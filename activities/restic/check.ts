import type { CheckReport } from '../../contracts/jobs.js';
import type { StoreStepInput } from '../../contracts/retention.js';
import type { Tools } from '../door.js';
import { addEvidence, type Evidence, readEvidence } from '../host/evidence.js';
import { checkVerb } from './command.js';
import { openRestic, removeStaleLocks, runRestic } from './driver.js';
import { jobWith } from './job.js';
import { resticVersion } from './versions.js';

/** Checks the structure of a store, and reads its data part by part until all of it was read. */

/** The part that was read the longest ago, those never read first: after `parts` clean checks everything was read. */
export function choosePart(evidence: readonly Evidence[], store: string, parts: number): number {
  const lastRead = new Map<number, number>();
  for (const [order, entry] of evidence.entries()) {
    if (entry.kind !== 'check-part' || entry.store !== store || entry.parts !== parts) continue;
    if (entry.part !== undefined) lastRead.set(entry.part, order);
  }
  const all = Array.from({ length: parts }, (_, index) => index + 1);
  return all.reduce((oldest, part) =>
    (lastRead.get(part) ?? -1) < (lastRead.get(oldest) ?? -1) ? part : oldest,
  );
}

/** One check; the part counts as read only when the check ended clean. */
export async function checkStore(tools: Tools, input: StoreStepInput): Promise<CheckReport> {
  const job = jobWith(tools.config, { job: input.job, store: input.store });
  const { store, run } = input;
  const parts = job.check?.parts;
  const part = parts === undefined ? undefined : choosePart(await readEvidence(tools.host), store, parts);
  const restic = await openRestic(tools, store, 'check');
  await resticVersion(restic);
  await removeStaleLocks(restic);
  const reading = part !== undefined && parts !== undefined ? { part, parts } : undefined;
  tools.progress({ phase: reading ? `reading part ${part} of ${parts}` : 'checking the structure' });
  const complaints: string[] = [];
  await runRestic(restic, checkVerb(reading), {
    onSecondTry: () => void complaints.splice(0),
    onLine: (line, stream) => {
      if (stream === 'stderr' && line.trim() !== '' && !line.startsWith('{')) complaints.push(line);
    },
  });
  await addEvidence(tools.host, { kind: 'check-part', run, store, ...reading });
  return { store, ...reading, warnings: complaints.slice(0, 20) };
}
