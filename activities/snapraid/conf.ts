/** snapraid.conf, as far as it says where things lie. Pure. */

export interface ArrayDisk {
  name: string;
  folder: string;
}

export interface ArrayConf {
  data: ArrayDisk[];
  /** A parity may be split over several files. */
  parity: { name: string; files: string[] }[];
  /** Lists of files with their hashes: without one of them nothing can be recovered. */
  content: string[];
  /** How smartctl reaches a disk that it does not find out by itself, by the name of the disk: `-d sat %s`, with or without the device. */
  smartctl: Map<string, string[]>;
  /** What is no part of the array, in patterns as `ignore` takes them. */
  excluded?: string[];
}

/** Names of the parity levels as `fix -d` takes them. */
const parityForm = /^(?:(\d)-)?parity$|^(q|r)-parity$|^z-parity$/;

/** What snapraid itself would refuse is left to snapraid. */
export function parseConf(text: string): ArrayConf {
  const conf: ArrayConf = { data: [], parity: [], content: [], smartctl: new Map() };
  for (const line of text.split('\n')) {
    const [, key = '', rest = ''] = /^\s*(\S+)\s+(.*?)\s*$/.exec(line) ?? [];
    if (key === 'data' || key === 'disk') conf.data.push(...diskOf(rest));
    else if (key === 'content') conf.content.push(rest);
    else if (key === 'smartctl') noteSmartctl(conf, rest);
    else if (parityForm.test(key)) conf.parity.push({ name: key, files: rest.split(',') });
  }
  conf.excluded = text.split('\n').flatMap(excludedBy);
  return conf;
}

function excludedBy(line: string): string[] {
  const [, pattern] = /^\s*exclude\s+(.*?)\s*$/.exec(line) ?? [];
  if (pattern !== undefined) return [pattern];
  return /^\s*nohidden\s*$/.test(line) ? ['.*'] : [];
}

function diskOf(text: string): ArrayDisk[] {
  const [, name = '', folder = ''] = /^(\S+)\s+(.*)$/.exec(text) ?? [];
  return folder === '' ? [] : [{ name, folder: withoutSlash(folder) }];
}

function noteSmartctl({ smartctl }: ArrayConf, text: string): void {
  const [name = '', ...options] = wordsIn(text);
  if (options.length > 0) smartctl.set(name, options);
}

/** snapraid hands such a line to a shell: what stands in quotes is one word. */
const wordsIn = (text: string): string[] =>
  (text.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []).map((word) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single),
  );

const withoutSlash = (folder: string): string => folder.replace(/(.)\/+$/, '$1');

/** The folder that holds a file. */
export const folderOfFile = (file: string): string => file.replace(/\/[^/]*$/, '') || '/';

/** As many copies as snapraid wants: one more than there are parities, each on another disk. */
export const contentsWanted = ({ parity }: Pick<ArrayConf, 'parity'>): number => parity.length + 1;

/** The folders of all disks; those of parities by their own names. */
export const placesOf = (conf: ArrayConf): ArrayDisk[] => [
  ...conf.data,
  ...conf.parity.flatMap(({ name, files }) => files.map((file) => ({ name, folder: folderOfFile(file) }))),
];
