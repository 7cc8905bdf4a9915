import { resolve } from 'node:path';
import { machineConfigFolder, userConfigFolder } from '../../config/find-file.js';
import { starterConfig } from '../../config/starter.js';
import { jobName, namesFrom, storeName } from '../../config/starter-names.js';
import type { Context } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { type Given, interrupted, type Told, tellAll } from './answers.js';
import { absolute } from './judge.js';
import { lookAround, lookInto } from './look.js';
import type { Machine } from './machine.js';
import { foundLines, writtenLines } from './tell.js';
import { alreadyThere, makePasswordFile, writeConfig } from './write.js';

/** `holdfast init`: looks, asks, writes. Nothing is written before the last answer. */
export async function initialise(
  context: Context,
  machine: Machine,
  given: Given & { output: string | undefined },
): Promise<number> {
  const usual = usualPlace(context.env);
  const output = absolute(
    given.output ?? context.givenConfig ?? (context.env.HOLDFAST_CONFIG || usual),
    machine.home,
  );
  // A link that leads nowhere is something too.
  if ((await machine.host.facts(output)) !== undefined) throw alreadyThere(output);
  const findings = await lookAround(machine);
  for (const line of foundLines(findings)) context.out(line);
  const told = await tellAll({ context, findings, home: machine.home, output }, given).catch(stopped);
  if (told === undefined) {
    context.note('holdfast: stopped; nothing was written');
    return exitCodes.interrupted;
  }
  const text = starterConfig(findings, { ...told, folders: await foldersOf(machine, told) });
  if (told.makePassword) await makePasswordFile(machine, told.passwordFile);
  await writeConfig(machine, output, text);
  const job = jobName(namesFrom(told.directories), findings.host, storeName(told.repository));
  context.out('');
  for (const line of writtenLines({ output, isUsualPlace: output === usual, told, job })) context.out(line);
  return exitCodes.done;
}

/** Where every command and every worker looks by itself. */
const usualPlace = (env: NodeJS.ProcessEnv): string =>
  resolve(process.getuid?.() === 0 ? machineConfigFolder : userConfigFolder(env), 'holdfast.yaml');

function stopped(reason: unknown): undefined {
  if (reason !== interrupted) throw reason;
}

async function foldersOf(machine: Machine, { directories }: Told) {
  const [first, ...more] = await Promise.all(directories.map((path) => lookInto(machine, path)));
  if (!first) throw new Error('init was told no folder');
  return [first, ...more] as const;
}
