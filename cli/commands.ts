import type { Command } from './command.js';
import { apply } from './commands/apply.js';
import { approve } from './commands/approve.js';
import { cancel } from './commands/cancel.js';
import { check } from './commands/check.js';
import { complete } from './commands/complete.js';
import { completion } from './commands/completion.js';
import { copies } from './commands/copies.js';
import { deny } from './commands/deny.js';
import { doAction } from './commands/do.js';
import { doctor } from './commands/doctor.js';
import { explain } from './commands/explain.js';
import { init } from './commands/init.js';
import { initStore } from './commands/init-store.js';
import { logs } from './commands/logs.js';
import { notify } from './commands/notify.js';
import { orchestrator } from './commands/orchestrator.js';
import { pause } from './commands/pause.js';
import { plan } from './commands/plan.js';
import { rescue } from './commands/rescue.js';
import { restore } from './commands/restore.js';
import { resume } from './commands/resume.js';
import { run } from './commands/run.js';
import { runs } from './commands/runs.js';
import { show } from './commands/show.js';
import { status } from './commands/status.js';
import { undo } from './commands/undo.js';
import { up } from './commands/up.js';
import { worker } from './commands/worker.js';

/** The one table of commands, in the order in which an operator meets them: parser, help and reference come from it. */
export const commands: readonly Command[] = [
  init,
  check,
  explain,
  doctor,
  up,
  worker,
  orchestrator,
  plan,
  apply,
  initStore,
  run,
  doAction,
  status,
  runs,
  show,
  logs,
  copies,
  restore,
  rescue,
  approve,
  deny,
  cancel,
  pause,
  resume,
  undo,
  notify,
  completion,
];

/** What only our own scripts ask. */
export const hiddenCommands: readonly Command[] = [complete];
