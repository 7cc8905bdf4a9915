import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { bundleFile } from './bundle-file.js';

const say = (message: string): void => void process.stderr.write(`${message}\n`);

/** Bundles every export of a workflows file; tests bundle small workflows of their own the same way. */
export async function bundle(workflowsPath: string, file: string): Promise<void> {
  const quiet = {
    log: () => undefined,
    trace: () => undefined,
    debug: () => undefined,
    info: () => undefined,
  };
  const logger = { ...quiet, warn: say, error: say };
  const { code } = await bundleWorkflowCode({ workflowsPath, logger });
  await writeFile(file, code);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await bundle(fileURLToPath(new URL('../workflows/index.js', import.meta.url)), bundleFile);
}
