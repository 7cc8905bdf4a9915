import { gunzipSync, gzipSync } from 'node:zlib';
import { HoldfastError } from '../contracts/errors.js';
import type { Host } from './host.js';

/** Large plain data as one small file: the plan of 10,000 datasets is megabytes of text with much in it that repeats. */
export async function writePacked(host: Host, path: string, value: unknown): Promise<void> {
  await host.writeFile(path, gzipSync(JSON.stringify(value)).toString('base64'));
}

/** undefined when there is no such file. */
export async function readPacked(host: Host, path: string): Promise<unknown> {
  if (!(await host.exists(path))) return undefined;
  const text = await host.readFile(path);
  try {
    return JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString());
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new HoldfastError('HF_INTERNAL', `${path} cannot be read: ${why}`.slice(0, 300));
  }
}
