import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { cached } from './places.js';

/** What a part of the lab answers: where it is, or in one line why this machine cannot have it. */
export type Part = { path: string } | { missing: string };

const execute = promisify(execFile);

/** Runs a tool of the setup without a terminal; its last words become the error. */
export async function sh(
  file: string,
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string; timeoutMs?: number } = {},
): Promise<string> {
  try {
    const child = execute(file, args, {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', ...options.env },
      cwd: options.cwd,
      timeout: options.timeoutMs ?? 15 * 60_000,
      maxBuffer: 1 << 28,
    });
    // A tool that asks gets an end of file instead of waiting for an answer.
    child.child.stdin?.end();
    return (await child).stdout;
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string };
    const words = stderr.trim().split('\n').slice(-3).join(' | ') || message;
    throw new Error(`${file} ${args[0] ?? ''} failed: ${words}`.slice(0, 400));
  }
}

/** Says what is being done before it is done: some parts take minutes. */
export function announce(words: string): void {
  console.log(`lab: ${words}`);
}

/** Runs `make` in a fresh folder and puts the folder in its place only when all of it worked: an interrupted setup leaves nothing half. */
export async function buildFolder(target: string, make: (folder: string) => Promise<void>): Promise<void> {
  mkdirSync(dirname(target), { recursive: true });
  const folder = mkdtempSync(`${target}.new-`);
  try {
    await make(folder);
    rmSync(target, { recursive: true, force: true });
    renameSync(folder, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Turns an error of a part into its reason: one part that fails must not keep the others from coming. */
export async function attempt(make: () => Promise<Part>): Promise<Part> {
  try {
    return await make();
  } catch (error) {
    return { missing: (error as Error).message.replaceAll(cached(), '<cache>') };
  }
}
