import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made = new Set<string>();

const firstOfAll: (() => void)[] = [];

/** For what must be undone before the folders can go: mounts. */
export const beforeRemoval = (undo: () => void): void => void firstOfAll.push(undo);

process.on('exit', () => {
  for (const undo of firstOfAll) undo();
  if (process.env.HOLDFAST_KEEP_TEMP) return;
  for (const folder of made) removeTree(folder);
});

/** A folder that is gone when the test process ends. HOLDFAST_KEEP_TEMP=1 keeps it for a look. */
export function temporaryFolder(purpose = 'test'): string {
  const folder = mkdtempSync(join(tmpdir(), `holdfast-${purpose}-`));
  made.add(folder);
  return folder;
}

/** Ends a temporary folder early, where a test fills a disk or needs its space again. */
export function removeTemporaryFolder(folder: string): void {
  if (!made.delete(folder)) throw new Error(`${folder} was not made by temporaryFolder`);
  removeTree(folder);
}

function removeTree(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Somebody who is not root cannot look into folders of mode 0000 that a test made.
    openFolders(folder);
    rmSync(folder, { recursive: true, force: true });
  }
}

function openFolders(folder: string): void {
  chmodSync(folder, 0o700);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) openFolders(join(folder, entry.name));
  }
}
