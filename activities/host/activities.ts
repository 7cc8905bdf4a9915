import type { HookStepInput, WriterStepInput } from '../../contracts/hooks.js';
import type { SourceStepInput } from '../../contracts/jobs.js';
import type { TreeCount } from '../../system/host.js';
import type { Door } from '../door.js';
import { checkHostOf, jobWith } from '../restic/job.js';
import { whatIsRead } from '../zfs/read-source.js';
import { guardSource } from './guard.js';
import { runHooks, undoHooks } from './hooks.js';
import { whereItIsRead } from './reading-host.js';
import { pauseWriters, resumeWriters } from './writers.js';

/** What any host can be asked, whatever tool it runs. */
export function createHostActivities(door: Door) {
  return {
    /** Makes sure that the source is there and not emptied, before anything downstream happens. */
    hostGuardSource: (input: SourceStepInput): Promise<TreeCount> =>
      door.step(input, async (tools) => {
        checkHostOf(tools.config, input.resource, tools.host.name);
        jobWith(tools.config, { job: input.job, resource: input.resource });
        return guardSource((await whatIsRead(whereItIsRead(tools, input.resource), input)).guarded);
      }),
    hostRunHooks: (input: HookStepInput): Promise<{ ran: string[] }> =>
      door.step(input, (tools) => runHooks(tools, input)),
    hostUndoHooks: (input: HookStepInput): Promise<{ undone: string[] }> =>
      door.step(input, (tools) => undoHooks(tools, input)),
    /** Stops what writes to a resource, and remembers what was running. */
    hostPauseWriters: (input: WriterStepInput): Promise<{ paused: string[] }> =>
      door.step(input, (tools) => pauseWriters(tools, input)),
    hostResumeWriters: (input: WriterStepInput): Promise<{ resumed: string[] }> =>
      door.step(input, (tools) => resumeWriters(tools, input)),
  };
}

export type HostActivities = ReturnType<typeof createHostActivities>;
