import { hostname } from 'node:os';
import { findProgram } from '../../system/environment.js';
import { writeNew } from '../../system/files.js';
import type { Host } from '../../system/host.js';
import { localHost } from '../../system/local-host.js';

/** What `init` sees and touches of the machine that it runs on; tests describe other machines. */
export interface Machine {
  hostname: string;
  timezone: string;
  home: string | undefined;
  host: Pick<Host, 'run' | 'exists' | 'readFile' | 'isMountPoint' | 'countTree' | 'facts' | 'realPath'>;
  /** The path of a program, from PATH or as given. */
  program(name: string): string | undefined;
  /** Fails when the file is there. */
  writeNew(path: string, text: string, mode: number): Promise<void>;
}

export const thisMachine = (stateFolder: string, env: NodeJS.ProcessEnv): Machine => ({
  hostname: hostname(),
  timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  home: env.HOME,
  host: localHost({ name: 'localhost', stateFolder }),
  program: (name) => findProgram(name, env.PATH),
  writeNew,
});
