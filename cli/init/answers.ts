import { dirname, join } from 'node:path';
import type { Findings } from '../../config/starter.js';
import { nameFrom, storeName } from '../../config/starter-names.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Context } from '../context.js';
import { shown } from '../jobs.js';
import { absolute, folderMistake, lookAtPasswordFile, repositoryMistake } from './judge.js';
import { likelySource, likelyTarget } from './mounts.js';

/** What init must be told, from flags or by questions: never guessed. */
export interface Given {
  directories: string[];
  repository?: string | undefined;
  passwordFile?: string | undefined;
  yes: boolean;
}

export interface Told {
  directories: string[];
  repository: string;
  passwordFile: string;
  makePassword: boolean;
}

/** Thrown by a question that Ctrl-C answered; nothing has been written then. */
export const interrupted = Symbol('interrupted');

export interface Asking {
  context: Pick<Context, 'interactive' | 'askText' | 'note'>;
  findings: Findings;
  home: string | undefined;
  /** The configuration that will be written: where it lies its secrets lie, unless said otherwise. */
  output: string;
}

export async function tellAll(asking: Asking, given: Given): Promise<Told> {
  const asks = asking.context.interactive && !given.yes;
  if (!asks) refuseGuessing(given);
  const directories = await directoriesOf(asking, given.directories);
  const repository = await answer(asking, given.repository, {
    question: 'Where shall the copies be kept (address of a restic repository)?',
    preset: targetPreset(asking.findings),
    judge: async (text) => repositoryMistake(text, directories, asking.findings),
    flag: '--repository',
  });
  const preset = join(dirname(asking.output), `${storeName(repository)}.key`);
  const file = await answer(asking, given.passwordFile ?? (asks ? undefined : preset), {
    question: 'In which file is the password of the repository, or shall it be?',
    preset,
    judge: async (text) => {
      const path = absolute(text, asking.home);
      if (path === asking.output) return 'is where the configuration will be';
      const looked = await lookAtPasswordFile(path);
      return looked.state === 'wrong' ? looked.mistake : undefined;
    },
    flag: '--password-file',
  });
  const passwordFile = absolute(file, asking.home);
  const isThere = (await lookAtPasswordFile(passwordFile)).state === 'there';
  return {
    directories,
    repository,
    passwordFile,
    makePassword: !isThere && (!asks || (await wantsPassword(asking))),
  };
}

function refuseGuessing({ directories, repository, yes }: Given): void {
  const missing = [
    ...(yes ? [] : ['--yes']),
    ...(directories.length === 0 ? ['--directory DIR'] : []),
    ...(repository === undefined ? ['--repository ADDRESS'] : []),
  ];
  if (missing.length === 0) return;
  throw new HoldfastError(
    'HF_USAGE',
    `Nobody can be asked here, and it is not guessed: ${missing.join(', ')}`,
    {
      next: 'holdfast init --yes --directory /srv/photos --repository /mnt/usb/restic',
    },
  );
}

async function directoriesOf(asking: Asking, given: readonly string[]): Promise<string[]> {
  const judge = (text: string) => folderMistake(absolute(text, asking.home));
  if (given.length > 0) {
    for (const text of given) await mustBeRight('--directory', text, judge);
    return distinct(given, asking.home);
  }
  const found: string[] = [];
  for (;;) {
    const first = found.length === 0;
    const text = await answer(asking, undefined, {
      question: first ? 'Which folder shall be protected?' : 'Another folder (Enter: no more)?',
      preset: first ? (likelySource(asking.findings.mounts) ?? '') : '',
      judge: async (typed) => (typed === '' && !first ? undefined : judge(typed)),
      flag: '--directory',
      mayBeEmpty: !first,
    });
    if (text === '') return distinct(found, asking.home);
    found.push(text);
  }
}

const distinct = (paths: readonly string[], home: string | undefined): string[] => [
  ...new Set(paths.map((path) => absolute(path, home))),
];

const targetPreset = (findings: Findings): string => {
  const target = likelyTarget(findings.mounts);
  return target === undefined ? '' : join(target, `restic-${nameFrom(findings.host, 'this-host')}`);
};

interface Question {
  question: string;
  /** What Enter means; empty: there is no default. */
  preset: string;
  judge(text: string): Promise<string | undefined>;
  flag: string;
  mayBeEmpty?: boolean;
}

async function answer(asking: Asking, given: string | undefined, question: Question): Promise<string> {
  if (given !== undefined) {
    await mustBeRight(question.flag, given, question.judge);
    return given;
  }
  for (;;) {
    const brackets = question.preset === '' ? '' : ` [${shown(question.preset)}]`;
    const typed = await asking.context.askText(`${question.question}${brackets} `);
    if (typed === undefined) throw interrupted;
    const text = typed.trim() || question.preset;
    if (text === '' && question.mayBeEmpty) return '';
    const mistake = text === '' ? 'an answer is needed' : await question.judge(text);
    if (mistake === undefined) return text;
    asking.context.note(`  ${mistake}`);
  }
}

async function mustBeRight(flag: string, text: string, judge: Question['judge']): Promise<void> {
  const mistake = text.trim() === '' ? 'is empty' : await judge(text);
  if (mistake === undefined) return;
  // An address may hold a password, which must not be shown again.
  const value = flag === '--repository' ? '' : ` ${shown(text)}`;
  throw new HoldfastError('HF_USAGE', `${flag}${value} ${mistake}`);
}

async function wantsPassword(asking: Asking): Promise<boolean> {
  const typed = await asking.context.askText(
    'It is not there. Make it, with a strong random password? [Y/n] ',
  );
  if (typed === undefined) throw interrupted;
  return !/^\s*n(o)?\s*$/i.test(typed);
}
