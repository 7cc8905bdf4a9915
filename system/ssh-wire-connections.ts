import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireProgram } from './environment.js';
import { run } from './run.js';
import { checkArguments, masterArguments, sshEnvironment, wireArguments } from './ssh-arguments.js';
import { unreachable } from './ssh-connect.js';
import type { SshTarget } from './ssh-target.js';

/** Kept connections of the ssh program. Large transfers that run at the same time have one each; small ones, and those that follow each other, share. */

/** A socket's path may have 107 characters, and ssh appends 17 of its own while it makes one. */
const longestPath = 88;

/** A server lets in 10 programs on one connection, unless it is told otherwise. */
const smallTogether = 8;

export interface Wire {
  file: string;
  args(command: string): string[];
  release(): void;
}

export class WireConnections {
  private readonly busy = new Map<number, { isSmall: boolean; count: number }>();
  private readonly opening = new Map<string, Promise<void>>();

  constructor(
    private readonly target: () => SshTarget,
    private readonly folder: string,
  ) {}

  /** A kept connection that nobody uses, or a new one; `isSmall`: also one that others of its kind use. To make one costs more than to send a megabyte. */
  async take(isSmall = false): Promise<Wire> {
    const target = this.target();
    const slots = [...Array(this.busy.size + 1).keys()];
    const slot = slots.find((number) => this.hasRoom(number, isSmall)) ?? 0;
    this.busy.set(slot, { isSmall, count: (this.busy.get(slot)?.count ?? 0) + 1 });
    const release = (): void => this.leave(slot);
    try {
      const file = requireProgram('ssh');
      const socket = await this.socketOf(target, slot);
      await this.ensure(file, target, socket);
      return { file, args: (command) => wireArguments(target, socket, command), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  private hasRoom(slot: number, isSmall: boolean): boolean {
    const use = this.busy.get(slot);
    return use === undefined || (isSmall && use.isSmall && use.count < smallTogether);
  }

  private leave(slot: number): void {
    const use = this.busy.get(slot);
    if (use && use.count > 1) use.count -= 1;
    else this.busy.delete(slot);
  }

  /** Named after everything that decides where it leads: other settings, another connection. */
  private async socketOf(target: SshTarget, slot: number): Promise<string> {
    const name = createHash('sha256')
      .update(JSON.stringify([target, slot]))
      .digest('hex')
      .slice(0, 20);
    const own = join(this.folder, name);
    const folder =
      own.length <= longestPath ? this.folder : join(tmpdir(), `holdfast-ssh-${process.getuid?.() ?? 0}`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return join(folder, name);
  }

  private ensure(file: string, target: SshTarget, socket: string): Promise<void> {
    const opening = this.opening.get(socket) ?? openMaster(file, target, socket);
    this.opening.set(socket, opening);
    return opening.finally(() => this.opening.delete(socket));
  }
}

async function openMaster(file: string, target: SshTarget, socket: string): Promise<void> {
  const quiet = { maxStdoutBytes: 65_536 };
  const { exitCode } = await run({ file, args: checkArguments(target, socket) }, quiet);
  if (exitCode === 0) return;
  const { exitCode: failed, stderrTail } = await run(
    { file, env: sshEnvironment, args: masterArguments(target, socket) },
    quiet,
  );
  if (failed !== 0)
    throw unreachable(target.name, stderrTail.trim().slice(-150) || `ssh ended with ${failed}`);
}
