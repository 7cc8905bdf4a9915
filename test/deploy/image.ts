import { join } from 'node:path';
import { repositoryRoot } from '../support/root.js';
import { read } from './compose.js';

/** A line of the Dockerfile, continuations joined, comments left out. */
export interface Instruction {
  word: string;
  rest: string;
}

export interface Stage {
  name: string;
  from: string;
  instructions: Instruction[];
}

function instructions(text: string): Instruction[] {
  const lines = text
    .split('\n')
    .filter((line) => !line.startsWith('#') && line.trim() !== '')
    .join('\n')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n');
  return lines.map((line) => {
    const [word = '', ...rest] = line.trim().split(' ');
    return { word, rest: rest.join(' ') };
  });
}

/** The stages in the order of the file; what stands before the first is of none. */
export function stagesOf(text = read('Dockerfile')): Stage[] {
  const stages: Stage[] = [];
  for (const one of instructions(text)) {
    const [, from = '', name = ''] = /^(\S+)(?: AS (\S+))?$/.exec(one.word === 'FROM' ? one.rest : '') ?? [];
    if (one.word === 'FROM') stages.push({ name, from, instructions: [] });
    else stages.at(-1)?.instructions.push(one);
  }
  return stages;
}

export const stage = (name: string): Stage => {
  const found = stagesOf().find((one) => one.name === name);
  if (found) return found;
  throw new Error(`there is no stage ${name}`);
};

/** A stage and those that it is made from, the oldest first. */
export function inherited(name: string): Instruction[] {
  const own = stage(name);
  const parent = stagesOf().find((one) => one.name === own.from);
  return [...(parent ? inherited(parent.name) : []), ...own.instructions];
}

/** What the context of a build holds: .dockerignore forbids everything and then lets these in. */
export const contextEntries = (): string[] =>
  read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => join(repositoryRoot, line.slice(1)));
