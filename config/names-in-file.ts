import { readFileSync, statSync } from 'node:fs';
import { namePattern } from '../contracts/names.js';
import { readDocument } from './document.js';

/** The names of a file, quickly and without judging it: for completion, which runs at every Tab. */

export const nameKinds = [
  'jobs',
  'stores',
  'hosts',
  'resources',
  'notifications',
  'job-resources',
  'host-folders',
] as const;
export type NameKind = (typeof nameKinds)[number];

/** A configuration of 500 jobs has 150 kB. */
const mostBytes = 2 ** 20;

/** Nothing for a file that cannot be read: Tab is no place for complaints. A pipe or a device would hold the shell. */
export function namesInFile(file: string, kind: NameKind): string[] {
  const facts = statSync(file, { throwIfNoEntry: false });
  if (!facts?.isFile() || facts.size > mostBytes) return [];
  return namesInText(readFileSync(file, 'utf8'), kind);
}

/** Only what can be a name: the words end up on somebody's command line. */
export function namesInText(text: string, kind: NameKind): string[] {
  const { value } = readDocument(text);
  if (kind === 'job-resources') return jobResources(sectionOf(value, 'jobs'));
  const names = namesOf(sectionOf(value, kind === 'host-folders' ? 'hosts' : kind));
  return kind === 'host-folders' ? names.map((name) => `${name}:`) : names;
}

type Entries = Record<string, unknown>;
const isMap = (value: unknown): value is Entries =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function sectionOf(value: unknown, section: string): Entries {
  const entries = isMap(value) && Object.hasOwn(value, section) ? value[section] : undefined;
  return isMap(entries) ? entries : {};
}

/** A name that begins with "-" is allowed in the file, but on a command line it would be an option. */
const isOffered = (name: unknown): name is string =>
  typeof name === 'string' && namePattern.test(name) && !name.startsWith('-');

const namesOf = (entries: Entries): string[] => Object.keys(entries).filter(isOffered);

/** JOB, and JOB/RESOURCE where a job has several. */
function jobResources(jobs: Entries): string[] {
  return namesOf(jobs).flatMap((job) => {
    const listed = sectionOf(jobs, job).resources;
    const resources = Array.isArray(listed) ? listed.filter(isOffered) : [];
    return [job, ...(resources.length > 1 ? resources.map((name) => `${job}/${name}`) : [])];
  });
}
