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
}

/** Names of the parity levels as `fix -d` takes them. */
const parityForm = /^(?:(\d)-)?parity$|^(q|r)-parity$|^z-parity$/;

/** What snapraid itself would refuse is left to snapraid. */
export function parseConf(text: string): ArrayConf {
  const conf: ArrayConf = { data: [], parity: [], content: [] };
  for (const line of text.split('\n')) {
    const [, key = '', rest = ''] = /^\s*(\S+)\s+(.*?)\s*$/.exec(line) ?? [];
    if (key === 'data' || key === 'disk') {
      const [, name = '', folder = ''] = /^(\S+)\s+(.*)$/.exec(rest) ?? [];
      if (folder !== '') conf.data.push({ name, folder: withoutSlash(folder) });
    } else if (key === 'content') conf.content.push(rest);
    else if (parityForm.test(key)) conf.parity.push({ name: key, files: rest.split(',') });
  }
  return conf;
}

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
