import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ensurePackaged } from '../parts/apt.js';
import { onPath } from '../places.js';
import type { Place } from './place.js';

/** What the Web UI knows a run by, besides its name. */
async function executionOf({ uiPort }: Place, run: string): Promise<string> {
  const address = `http://127.0.0.1:${uiPort}/api/v1/namespaces/holdfast/workflows/${encodeURIComponent(run)}`;
  const answer = (await (await fetch(address)).json()) as {
    workflowExecutionInfo?: { execution?: { runId?: string } };
  };
  const execution = answer.workflowExecutionInfo?.execution?.runId;
  if (execution === undefined) throw new Error(`the Web UI does not know ${run}`);
  return execution;
}

/** A picture of a run as the Web UI shows it, for the README: `npm run demo -- --picture docs/web-ui.png`. */
export async function takePicture(place: Place, run: string, file: string): Promise<void> {
  const browser = await ensurePackaged('chromium');
  if ('missing' in browser) throw new Error(`no picture: ${browser.missing}`);
  const execution = await executionOf(place, run);
  const page = `http://127.0.0.1:${place.uiPort}/namespaces/holdfast/workflows/${encodeURIComponent(run)}/${execution}/user-metadata`;
  const args = ['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars'];
  args.push('--window-size=1440,900', `--user-data-dir=${join(place.folder, 'chromium')}`);
  // The page loads its data after itself: time that passes only for the page.
  args.push('--virtual-time-budget=15000', `--screenshot=${resolve(file)}`, page);
  execFileSync(onPath('chromium') ?? 'chromium', args, { stdio: 'ignore', timeout: 120_000 });
  if (!existsSync(file)) throw new Error(`the browser made no ${file}`);
}
