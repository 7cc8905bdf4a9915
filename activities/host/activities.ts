import { folderOf } from '../../config/lookup.js';
import type { HookStepInput, StepInput } from '../../contracts/jobs.js';
import type { TreeCount } from '../../system/host.js';
import type { Door } from '../door.js';
import { checkHostOf, jobWith } from '../restic/job.js';
import { guardSource } from './guard.js';
import { runHooks, undoHooks } from './hooks.js';

/** What any host can be asked, whatever tool it runs. */
export function createHostActivities(door: Door) {
  return {
    /** Makes sure that the source is there and not emptied, before anything downstream happens. */
    hostGuardSource: (input: StepInput): Promise<TreeCount> =>
      door.step(input, ({ host, config, signal }) => {
        checkHostOf(config, input.resource, host.name);
        jobWith(config, { job: input.job, resource: input.resource });
        const resource = folderOf(config, input.resource);
        return guardSource({ host, signal, resource: input.resource, config: resource });
      }),
    hostRunHooks: (input: HookStepInput): Promise<{ ran: string[] }> =>
      door.step(input, (tools) => runHooks(tools, input)),
    hostUndoHooks: (input: HookStepInput): Promise<{ undone: string[] }> =>
      door.step(input, (tools) => undoHooks(tools, input)),
  };
}

export type HostActivities = ReturnType<typeof createHostActivities>;
