import { findProgram, requireProgram } from './environment.js';
import * as files from './files.js';
import type { Host } from './host.js';
import { machineName, processStartedAt } from './processes.js';
import { run, runPipeline } from './run.js';

/** This machine as a Host. */
export function localHost({ name, stateFolder }: { name: string; stateFolder: string }): Host {
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
    countTree: files.countTree,
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
