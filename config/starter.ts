import { stringify } from 'yaml';
import { credentialVariables, jobName, namesFrom, storeName } from './starter-names.js';

/** The configuration that `holdfast init` writes: from what was found and answered to the text. Pure. */

/** What a look at a machine found. */
export interface Findings {
  /** As a name in our sense. */
  host: string;
  timezone: string;
  restic?: { path: string; version: string; onPath: boolean; tooOld: boolean };
  pools: string[];
  datasets: number;
  snapraid?: { file: string; data: number; parity: number };
  /** Its configuration file; what is in it is not read, because the API key is in it too. */
  syncthing?: string;
  docker: boolean;
  mounts: { path: string; type: string }[];
}

export interface Folder {
  path: string;
  isMountPoint: boolean;
  /** What was found in it, as far as was counted. */
  holds?: { files: number; bytes: number };
}

/** What a human answered, or the flags said. */
export interface Answers {
  folders: readonly [Folder, ...Folder[]];
  repository: string;
  passwordFile: string;
}

/** Text as a value, on one line. */
const scalar = (value: string): string =>
  /[\n\r\u0085\u2028\u2029]/.test(value)
    ? JSON.stringify(value).replace(
        /[\u0085\u2028\u2029]/g,
        (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
    : stringify(value, { lineWidth: 0 }).trimEnd();

/** Names of disks and folders come from elsewhere: a line break in one would end the comment. */
const comment = (text: string): string => `# ${text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')}`;

/** The whole file. It has no mistakes and no warnings when the answers have none. */
export function starterConfig(findings: Findings, answers: Answers): string {
  const resources = namesFrom(answers.folders.map(({ path }) => path));
  const names = { resources, store: storeName(answers.repository), host: findings.host };
  const sections = [
    head(findings.host),
    hosts(findings),
    [
      'resources:',
      ...answers.folders.flatMap((folder, at) => resource(folder, resources[at] ?? '', findings.host)),
    ],
    store(names.store, answers),
    job({ ...names, timezone: findings.timezone }),
    notDriven(findings, answers),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

const head = (host: string): string[] => [
  `# Written by "holdfast init" on ${host}. The same file goes to every host; it holds no secret.`,
  '# "holdfast check" finds mistakes in it, "holdfast explain KEY" tells what a key means and what else there is.',
];

function hosts({ host, restic }: Findings): string[] {
  if (restic && !restic.onPath)
    return [
      'hosts:',
      `  ${scalar(host)}: # this machine, with a worker of its own`,
      '    tools:',
      `      restic: ${scalar(restic.path)} # it is not on PATH`,
    ];
  return ['hosts:', `  ${scalar(host)}: {} # this machine, with a worker of its own`];
}

function resource({ path, isMountPoint, holds }: Folder, name: string, host: string): string[] {
  return [
    `  ${scalar(name)}:`,
    `    host: ${scalar(host)}`,
    `    directory: ${scalar(path)}`,
    ...(isMountPoint ? ['    mounted: true # no run starts while nothing is mounted here'] : []),
    ...least(holds),
  ];
}

/** Half of what is there: room for cleaning up, none for an emptied disk. */
function least(holds: Folder['holds']): string[] {
  const files = Math.floor((holds?.files ?? 0) / 2);
  const mebibytes = Math.floor((holds?.bytes ?? 0) / 2 / 2 ** 20);
  if (files < 1) return [];
  const bytes = mebibytes < 1 ? [] : [`      bytes: ${mebibytes}MiB`];
  return ['    least: # less than this looks emptied and stops the run', `      files: ${files}`, ...bytes];
}

function store(name: string, { repository, passwordFile }: Answers): string[] {
  const variables = credentialVariables(repository);
  return [
    'stores:',
    `  ${name}:`,
    '    restic:',
    `      repository: ${scalar(repository)}`,
    '      password:',
    `        file: ${scalar(passwordFile)} # keep a copy of it outside of this house: without it the backup is noise`,
    ...(variables.length > 0 ? ['      env: # each in a file that only the worker may read'] : []),
    ...variables.flatMap(({ variable, suffix }) => [
      `        ${variable}:`,
      `          file: ${scalar(credentialFile(passwordFile, suffix))}`,
    ]),
  ];
}

/** Beside the password, under its name. */
export const credentialFile = (passwordFile: string, suffix: string): string =>
  `${passwordFile.replace(/\.[a-z]+$/i, '')}.${suffix}`;

interface Names {
  host: string;
  resources: string[];
  store: string;
  timezone: string;
}

function job({ host, resources, store: target, timezone }: Names): string[] {
  return [
    'jobs:',
    `  ${scalar(jobName(resources, host, target))}:`,
    '    kind: restic-backup',
    '    resources:',
    ...resources.map((name) => `      - ${scalar(name)}`),
    `    store: ${target}`,
    '    schedule:',
    '      cron: "30 3 * * *" # every night at half past three',
    `      timezone: ${timezone}`,
    '    keep: { daily: 7, weekly: 5, monthly: 12 } # what is older goes, by the schedule of "prune"',
    '    prune: { cron: "0 6 * * 0" }',
    '    check: { cron: "0 7 * * *", parts: 30 } # reads a thirtieth of the data a day: everything once a month',
    '    objective: { rpo: 26h, check: 35d, prune: 15d } # what "holdfast status --check" measures against',
  ];
}

/** Said in the file, because what is not in a job is not protected. */
function notDriven(findings: Findings, answers: Answers): string[] {
  const found = [
    ...(findings.pools.length > 0
      ? [
          `ZFS: ${plural(findings.pools.length, 'pool')} (${findings.pools.join(', ')}), ${plural(findings.datasets, 'dataset')}`,
        ]
      : []),
    ...(findings.snapraid
      ? [
          `SnapRAID: ${findings.snapraid.file}, ${plural(findings.snapraid.data, 'data disk')}, ${findings.snapraid.parity} parity`,
        ]
      : []),
    ...(findings.syncthing === undefined ? [] : [`Syncthing: ${findings.syncthing}`]),
    ...(findings.docker
      ? ['Docker: databases in containers need a dump of their own before a copy of their files']
      : []),
    ...findings.mounts
      .filter(({ path }) => !answers.folders.some((folder) => isWithin(path, folder.path)))
      .map(({ path, type }) => `a file system that is in no resource: ${path} (${type})`),
  ];
  if (found.length === 0) return [];
  return [
    '# Also found on this machine. This version of Holdfast does not drive it: nothing of it is protected by this file.',
    ...found.slice(0, mostFound).map((line) => comment(`- ${line}`)),
    ...(found.length > mostFound ? [`# - and ${found.length - mostFound} more`] : []),
  ];
}

/** A machine with hundreds of mounted volumes must not drown its configuration. */
const mostFound = 20;

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** True for the folder itself as well. */
export const isWithin = (path: string, folder: string): boolean =>
  `${path.replace(/\/+$/, '')}/`.startsWith(`${folder.replace(/\/+$/, '')}/`);
