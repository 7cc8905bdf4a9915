import { findProgram, requireProgram } from './environment.js';
import * as files from './files.js';
import type { Host } from './host.js';
import { machineName, processStartedAt } from './processes.js';
import { run, runPipeline } from './run.js';
import { remoteFiles, type Shell } from './ssh-files.js';

/** What waits for a mount that hangs does not hear SIGTERM for long. */
const killAfterMs = 2_000;

const shell: Shell = (script, args, options = {}) =>
  run({ file: 'sh', args: ['-c', script, 'sh', ...args], env: { LC_ALL: 'C' } }, { killAfterMs, ...options });

/** This machine as a Host. */
export function localHost({ name, stateFolder }: { name: string; stateFolder: string }): Host {
  const { countTree, lookAtFolder } = remoteFiles(shell);
  const host: Host = {
    name,
    stateFolder,
    get driver() {
      return host;
    },
    findProgram: async (file) => findProgram(file),
    requireProgram: async (file) => requireProgram(file),
    run,
    pipe: runPipeline,
    exists: files.exists,
    isMountPoint: files.isMountPoint,
    realPath: files.realPath,
    list: files.list,
    facts: files.facts,
    countTree,
    lookAtFolder,
    freeBytes: files.freeBytes,
    makeFolder: files.makeFolder,
    readFile: files.readText,
    writeFile: files.writeWhole,
    appendLine: files.appendLine,
    rename: files.move,
    moveEntries: files.moveEntries,
    removeTree: files.removeTree,
    machineName,
    processStartedAt,
  };
  return host;
}
