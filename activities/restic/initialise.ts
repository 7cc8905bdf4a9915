import { HoldfastError } from '../../contracts/errors.js';
import type { Tools } from '../door.js';
import { configVerb, initVerb } from './command.js';
import { forgetConfig } from './config-copy.js';
import { listSnapshots, openRestic, type Restic, runRestic } from './driver.js';
import { parseRepositoryId } from './parse.js';
import { resticVersion } from './versions.js';

/** Creates a repository; the one verb that does, and it never touches one that is there. */
export async function initialiseStore(tools: Tools, store: string): Promise<{ repository: string }> {
  const restic = await openRestic(tools, store, 'init');
  await resticVersion(restic);
  try {
    await runRestic(restic, initVerb());
  } catch (error) {
    if (!(await isOurs(restic, error))) throw error;
  }
  await forgetConfig(tools.host, store);
  const { result } = await runRestic(restic, configVerb());
  return { repository: parseRepositoryId(result.stdout) };
}

/** A retry may find what the attempt before it had made: it opens with our password and holds nothing yet. */
async function isOurs(restic: Restic, error: unknown): Promise<boolean> {
  if (restic.attempt === 1 || !(error instanceof HoldfastError) || error.code !== 'HF_STORE_EXISTS')
    return false;
  return (await listSnapshots(restic, [])).length === 0;
}
