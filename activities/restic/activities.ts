import type {
  CheckReport,
  Copy,
  RestorePlan,
  RestoreReport,
  RestoreStepInput,
  StepInput,
} from '../../contracts/jobs.js';
import type { PruneReport, PruneStepInput, StoreStepInput } from '../../contracts/retention.js';
import type { SeedReport } from '../../contracts/seeding.js';
import type { Door } from '../door.js';
import { atStore, whereItIsRead } from '../host/reading-host.js';
import { backupResource } from './backup.js';
import { checkStore } from './check.js';
import { besideCopy, withConfigCopy } from './config-copy.js';
import { initialiseStore } from './initialise.js';
import { pruneStore, tellGoodCopies } from './prune.js';
import { restoreCopy } from './restore.js';
import { planRestore } from './restore-plan.js';
import { isSeeded, seedPortion } from './seed.js';
import { takePlace, undoInPlace } from './take-place.js';

export interface InitialiseStep {
  run: string;
  store: string;
  retryForMs: number;
}

/** restic as steps of a workflow. What they do is in the driver's files; here is only the door. */
export function createResticActivities(door: Door) {
  return {
    resticBackup: (input: StepInput): Promise<Copy> =>
      door.step(input, async (own) => {
        const tools = whereItIsRead(own, input.resource);
        return besideCopy(tools, input, await backupResource(tools, input));
      }),
    /** Whether a copy was ever proved there. */
    resticIsSeeded: (input: StepInput): Promise<{ seeded: boolean }> =>
      door.step(input, (tools) => isSeeded(tools, input)),
    /** One portion of the first upload; says whether there is more. */
    resticSeed: (input: StepInput): Promise<SeedReport> =>
      door.step(input, (tools) => seedPortion(whereItIsRead(tools, input.resource), input)),
    /** Of all resources of the job. */
    resticPrune: (input: PruneStepInput): Promise<PruneReport> =>
      door.step(input, async (own) => {
        const tools = atStore(own, input.store);
        return withConfigCopy(tools, input, await pruneStore(tools, input), { asks: true });
      }),
    /** Asked of each host that backs up for the job, before another one applies its retention. */
    resticGoodCopies: (input: StepInput): Promise<string[]> =>
      door.step(input, (tools) => tellGoodCopies(tools, input)),
    resticCheck: (input: StoreStepInput): Promise<CheckReport> =>
      door.step(input, async (own) => {
        const tools = atStore(own, input.store);
        return withConfigCopy(tools, input, await checkStore(tools, input), { asks: true });
      }),
    resticInitialise: (input: InitialiseStep): Promise<{ repository: string }> =>
      door.step(input, (tools) => initialiseStore(atStore(tools, input.store), input.store)),
    resticPlanRestore: (input: RestoreStepInput): Promise<RestorePlan> =>
      door.step(input, (tools) => planRestore(tools, input)),
    resticRestore: (input: RestoreStepInput): Promise<RestoreReport> =>
      door.step(input, (tools) => restoreCopy(tools, input)),
    resticTakePlace: (input: RestoreStepInput): Promise<RestoreReport> =>
      door.step(input, (tools) => takePlace(tools, input)),
    resticUndoInPlace: (input: RestoreStepInput): Promise<RestoreReport> =>
      door.step(input, (tools) => undoInPlace(tools, input)),
  };
}

export type ResticActivities = ReturnType<typeof createResticActivities>;
