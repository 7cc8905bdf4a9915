import { join } from 'node:path';
import type { Host } from '../../system/host.js';

/** A few small files of the real source, copied aside under names that say nothing; generated ones where there are too few. */

const wantedFiles = 20;
const fewestFiles = 5;
const largestBytes = 128 * 1024;
const entriesLookedAt = 500;

/** Real files make the drill honest; it says afterwards how many of them there were. */
export async function takeSample(host: Host, directory: string, source: string): Promise<string> {
  await host.makeFolder(source);
  let copied = 0;
  for (const path of await smallFiles(host, directory)) {
    const command = { file: 'cp', args: ['--preserve=timestamps', '--', path, `${source}/sample-${copied}`] };
    // A file that vanished or may not be read is only one less.
    if ((await host.run(command)).exitCode === 0) copied += 1;
  }
  const generated = Math.max(0, fewestFiles - copied);
  for (let index = 0; index < generated; index += 1) {
    await host.writeFile(
      `${source}/generated-${index}.txt`,
      `a file of the failure drill, number ${index}\n`,
    );
  }
  return generated > 0
    ? `${copied} small files of the source and ${generated} generated ones`
    : `${copied} small files of the source`;
}

/** Breadth first and only so far; a source that is away gives none, and the drill goes on without. */
async function smallFiles(host: Host, directory: string): Promise<string[]> {
  const found: string[] = [];
  const waiting = [directory];
  let looked = 0;
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    looked += 1;
    if (found.length >= wantedFiles || looked > entriesLookedAt) break;
    const facts = await host.facts(path).catch(() => undefined);
    if (facts?.type === 'dir') waiting.push(...(await namesIn(host, path)));
    if (facts?.type === 'file' && facts.size <= largestBytes) found.push(path);
  }
  return found;
}

const namesIn = async (host: Host, folder: string): Promise<string[]> => {
  const names = await host.list(folder).catch(() => []);
  return names.slice(0, entriesLookedAt).map((name) => join(folder, name));
};
