import { storesOf } from '../../config/lookup.js';
import type { DrillReport, DrillScene, DrillStepInput } from '../../contracts/doctor.js';
import { HoldfastError } from '../../contracts/errors.js';
import { parseRunId } from '../../contracts/names.js';
import { now } from '../../system/clock.js';
import type { Host } from '../../system/host.js';
import { endRecorded } from '../../system/recorded.js';
import type { Tools } from '../door.js';
import { checkHostOf, checkRunOfJob, jobWith } from '../restic/job.js';
import type { Scene } from './drill-judge.js';
import { isHere, processesOf } from './drill-programs.js';
import { scenes } from './drill-scenes.js';
import { type EngineParts, openStage, type Stage } from './drill-stage.js';
import { codeOf, wordsOf } from './machine.js';

/** The failure drill: mishaps are played with a scratch source and a scratch repository, through the drivers that run at night. */

const neededBytes = 200 * 2 ** 20;

const folderOfDrills = (host: Host): string => `${host.stateFolder}/drills`;

/** Plays every mishap and removes all of it again; the job's own source is only read, its stores are not touched. */
export async function playDrill(
  tools: Tools,
  input: DrillStepInput,
  engine: EngineParts,
): Promise<DrillReport> {
  const { host, config } = tools;
  const { job, resource, run } = input;
  checkRunOfJob(run, job);
  checkHostOf(config, resource, host.name);
  const [store = ''] = storesOf(jobWith(config, { job, resource }));
  await checkSpace(host);
  await removeOldDrills(host, run);
  const folder = `${folderOfDrills(host)}/${run}`;
  try {
    const stage = await openStage(tools, { ...input, store, folder }, engine);
    const played = await playAll(stage);
    return { scenes: played, sample: stage.sample, removed: await remove(host, folder) };
  } finally {
    await remove(host, folder);
  }
}

async function playAll(stage: Stage): Promise<DrillScene[]> {
  const played: DrillScene[] = [];
  for (const scene of scenes.map((make) => make(stage))) {
    stage.tools.signal.throwIfAborted();
    stage.tools.progress({ phase: `drill: ${scene.mishap}`, filesDone: played.length + 1 });
    stage.tools.log(`drill: ${scene.mishap}`);
    played.push(await playScene(stage, scene));
  }
  return played;
}

async function playScene({ tools: { signal } }: Stage, scene: Scene): Promise<DrillScene> {
  const { mishap, expected, play } = scene;
  try {
    const found = await play();
    if ('skipped' in found) {
      const message = found.skipped.slice(0, 300);
      return { mishap, expected, came: '', message, endState: '', passed: false, skipped: true };
    }
    const { came, message, endState, isRight } = found;
    const passed = came === expected && isRight;
    return { mishap, expected, came, message: message.slice(0, 300), endState, passed };
  } catch (error) {
    signal.throwIfAborted();
    const endState = 'the drill itself failed';
    return { mishap, expected, came: codeOf(error), message: wordsOf(error), endState, passed: false };
  }
}

async function checkSpace(host: Host): Promise<void> {
  const bytesFree = await host.freeBytes(host.stateFolder);
  if (bytesFree >= neededBytes) return;
  throw new HoldfastError(
    'HF_NO_SPACE',
    `The drill needs 200 MiB below ${host.stateFolder}, and ${Math.floor(bytesFree / 2 ** 20)} MiB are free`,
  );
}

/** With what still runs in it: an engine outlives the worker that has started it. */
async function remove(host: Host, folder: string): Promise<boolean> {
  const left = isHere(host) ? await endRecorded(processesOf(folder)) : [];
  await host.removeTree(folder, folderOfDrills(host));
  return left.length === 0 && !(await host.exists(folder));
}

/** The command ends a drill after half an hour. */
const forgottenAfterMs = 2 * 3_600_000;

/** What a killed drill has left: its own first attempt at once, anything else when it must be over. */
async function removeOldDrills(host: Host, run: string): Promise<void> {
  if (!(await host.exists(folderOfDrills(host)))) return;
  for (const name of await host.list(folderOfDrills(host))) {
    const time = Date.parse(parseRunId(name)?.time ?? '');
    if (name === run || now().getTime() - time > forgottenAfterMs)
      await remove(host, `${folderOfDrills(host)}/${name}`);
  }
}
