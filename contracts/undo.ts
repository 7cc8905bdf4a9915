import { workflowQueue, workflowTypes } from './names.js';

/** How what ended runs have left changed on a host is put back: asked for by its worker at its start, and by `holdfast undo`. One at a time. */
export const undoRequest = (host: string) =>
  ({
    workflowType: workflowTypes.undoLeftovers,
    options: {
      workflowId: `undo-${host}`,
      taskQueue: workflowQueue,
      args: [{ host }] as [{ host: string }],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowExecutionTimeout: '1d',
      staticSummary: `put back what ended runs left changed on ${host}`,
    },
  }) as const;

export interface UndoResult {
  /** "container:web of RUN", one for each thing that was put back. */
  putBack: string[];
}
