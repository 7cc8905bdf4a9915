import { HoldfastError } from '../../contracts/errors.js';

/** The tags of snapraid's log: one a line, `name:value:…`, with \\d for a colon, \\n, \\r and \\\\ inside of a value. Pure. */

export interface Tag {
  name: string;
  values: string[];
}

const escapes: Record<string, string> = { d: ':', n: '\n', r: '\r', '\\': '\\' };

const unescapeValue = (text: string): string =>
  text.replace(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter);

export function parseTag(line: string): Tag {
  const [name = '', ...values] = line.split(':');
  return { name, values: values.map(unescapeValue) };
}

export const unreadable = (what: string): HoldfastError =>
  new HoldfastError(
    'HF_ARRAY_UNREADABLE',
    `snapraid said what is not understood: ${what.replace(/\p{C}/gu, '?')}`.slice(0, 290),
  );

/** `summary:NAME:VALUE…`, each at most once: a name of a file with a line break in a message must not pass for a second one. */
export class Summary {
  private readonly found = new Map<string, string[]>();

  add({ values: [name = '', ...rest] }: Tag): void {
    // Sizes and counts for each disk come under one name, with the disk as their first value.
    const key = name.startsWith('disk_') || name.startsWith('parity_block_') ? `${name}:${rest[0]}` : name;
    const known = this.found.get(key);
    if (known && known.join(':') !== rest.join(':')) throw unreadable(`"summary:${key}" twice`);
    this.found.set(key, rest);
  }

  /** A count that must be there. */
  count(name: string, at = 0): number {
    const value = this.found.get(name)?.[at] ?? '';
    if (!/^\d{1,18}$/.test(value)) throw unreadable(`no count "summary:${name}"`);
    return Number(value);
  }

  /** A count that some versions leave out. */
  countOr(name: string, preset: number): number {
    return this.found.has(name) ? this.count(name) : preset;
  }

  has = (name: string): boolean => this.found.has(name);

  exit(known: readonly string[]): string {
    const value = this.found.get('exit')?.[0];
    if (value === undefined) throw unreadable('it ended without saying how');
    if (!known.includes(value)) throw unreadable(`"summary:exit:${value}"`);
    return value;
  }

  /** For each disk, by its name. */
  perDisk(name: string): Map<string, number> {
    const all = [...this.found].filter(([key]) => key.startsWith(`${name}:`));
    return new Map(all.map(([, [disk = '', value = '']]) => [disk, Number(value)]));
  }
}

/** What every log begins with. */
export interface Header {
  version: string;
  /** The command that was really run. */
  command: string;
}

export function checkHeader({ version, command }: Header, verb: string): void {
  if (command !== verb) throw unreadable(`a log of "${command}" instead of "${verb}"`);
  // Packages of Debian are built without a version: "none".
  const major = /^(\d+)\./.exec(version)?.[1];
  if (version === 'none' || (major !== undefined && Number(major) >= 11 && Number(major) <= 14)) return;
  throw unreadable(`version "${version}"; tried are 12, 13 and 14`);
}

/** Reads the lines of one log. */
export function readTags(verb: string, onTag: (tag: Tag) => void) {
  const header: Header = { version: '', command: '' };
  return {
    line(line: string): void {
      const tag = parseTag(line);
      if (tag.name === 'version') header.version ||= tag.values[0] ?? '';
      if (tag.name === 'command') header.command ||= tag.values[0] ?? '';
      onTag(tag);
    },
    end: (): void => checkHeader(header, verb),
  };
}
