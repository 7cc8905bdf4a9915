import { basename } from 'node:path';
import { HoldfastError } from '../contracts/errors.js';
import { missingProgram } from './environment.js';
import type { Command, Host, RunOptions, RunResult } from './host.js';
import type { Output } from './output.js';
import { runTogether } from './parts.js';
import { pipeAcross } from './pipe-across.js';
import { remoteFiles, type Shell } from './ssh-files.js';
import type { SshMachine } from './ssh-machine.js';
import { newMark, startRemote, startText, wrappedOn } from './ssh-run.js';
import { ownScript } from './ssh-script.js';

/** A machine over ssh as a Host: nothing of ours is installed there, a POSIX shell with coreutils is enough. */
export function sshHost({
  name,
  machine,
  driver,
}: {
  name: string;
  machine: SshMachine;
  driver: Host;
}): Host {
  const run = async (command: Command, options: RunOptions = {}): Promise<RunResult> => {
    const starter = {
      command,
      listeners: options,
      start: (output: Output) => startRemote(machine, wrappedOn(machine, command, options), output, options),
    };
    const [result] = await runTogether([starter], options);
    if (!result) throw new HoldfastError('HF_INTERNAL', `${command.file} gave no result`);
    return result;
  };
  const shell: Shell = (script, args, options = {}) => runScript(machine, script, args, options);
  const findProgram = async (file: string): Promise<string | undefined> => {
    // sudo looks in places of its own, which its caller need not see.
    const { stdout } = await shell('command -v -- "$1" || true', [file]);
    const found = stdout.trim();
    return found.startsWith('/') ? found : undefined;
  };
  const host: Host = {
    name,
    get stateFolder() {
      return machine.target().folder;
    },
    driver,
    remote: machine,
    run,
    pipe: (commands, options = {}) => {
      const { lock, onLine, pidFile: _none, ...rest } = options;
      const members = commands.map((command, at) => ({
        host,
        command,
        ...(at === 0 && lock !== undefined && { lock }),
      }));
      return pipeAcross(members, {
        ...rest,
        ...(onLine && { onLine: (line, stream) => onLine(line, stream) }),
      });
    },
    findProgram,
    async requireProgram(file) {
      const found = await findProgram(file);
      if (found !== undefined) return found;
      throw missingProgram(file, name);
    },
    ...remoteFiles(shell),
  };
  return host;
}

async function runScript(
  machine: SshMachine,
  script: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const mark = newMark();
  const command: Command = { file: 'sh', args: [] };
  const start = (output: Output) =>
    startText(machine, ownScript(mark, script, args), { mark, sudo: false, command }, output, options);
  const [result] = await runTogether(
    [{ command, listeners: { maxStdoutBytes: 256 * 2 ** 20, ...options }, start }],
    options,
  );
  if (!result) throw new HoldfastError('HF_INTERNAL', `${basename(command.file)} gave no result`);
  return result;
}
