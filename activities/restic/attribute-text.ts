/** What tar, getfattr and getfacl print about attributes, brought to one form. Pure; all three run with LC_ALL=C. */

/** By path: sorted facts such as "user.colour 4" (name and length) or "acl user:33:r-x". */
export type AttributeMap = Map<string, string[]>;

/** An access list of these alone says what the mode says. */
const baseEntry = /^(user|group|other)::/;

/** `tar --list --verbose --verbose --xattrs --acls --full-time`: an entry, then "  a:" and "  x:" lines that belong to it. */
export function parseTarAttributes(lines: readonly string[]): AttributeMap {
  const map: AttributeMap = new Map();
  let path: string | undefined;
  for (const line of lines) {
    const [, kind, rest = ''] = /^ {2}([ax]): (.*)$/.exec(line) ?? [];
    if (kind === undefined) path = entryPath(line);
    else if (path !== undefined)
      add(map, path, kind === 'a' ? aclFacts(rest.split(',')) : [lengthFact(rest)]);
  }
  return sorted(map);
}

const entryForm = /^([-a-zA-Z])\S+ +\d+\/\d+ +(?:\d+|\d+,\d+) \d{4}-\d\d-\d\d \d\d:\d\d:\d\d (.*)$/s;

/** Absolute, as in the copy; undefined for links, which carry none of these attributes. */
function entryPath(line: string): string | undefined {
  const [, type, name] = entryForm.exec(line) ?? [];
  if (name === undefined || type === 'l') return undefined;
  return `/${unescapeOctal(name).replace(/^\/|\/$/g, '')}`;
}

/** "7 user.foo" -> "user.foo 7". */
function lengthFact(text: string): string {
  const [, length, name = ''] = /^(\d+) (.*)$/.exec(text) ?? [];
  return `${name} ${length}`;
}

/** `getfattr --dump --encoding=hex`: "# file: …", then name=0x… lines. Access lists come from getfacl. */
export function parseGetfattr(lines: readonly string[]): AttributeMap {
  const map: AttributeMap = new Map();
  let path: string | undefined;
  for (const line of lines) {
    if (line.startsWith('# file: ')) path = unescapeOctal(line.slice('# file: '.length));
    else if (line !== '' && path !== undefined && !line.startsWith('system.posix_acl_')) {
      const [name = '', value = ''] = line.split('=');
      add(map, path, [`${unescapeOctal(name)} ${Math.max(0, value.length - 2) / 2}`]);
    }
  }
  return sorted(map);
}

/** `getfacl --numeric --skip-base --no-effective`: "# file: …" and one entry a line. */
export function parseGetfacl(lines: readonly string[]): AttributeMap {
  const map: AttributeMap = new Map();
  let path: string | undefined;
  let entries: string[] = [];
  const close = () => {
    if (path !== undefined) add(map, path, aclFacts(entries));
    entries = [];
  };
  for (const line of lines) {
    if (line.startsWith('# file: ')) {
      close();
      path = unescapeOctal(line.slice('# file: '.length));
    } else if (line !== '' && !line.startsWith('#')) entries.push(line);
  }
  close();
  return sorted(map);
}

function aclFacts(entries: readonly string[]): string[] {
  const told = entries.filter((entry) => entry !== '');
  const access = told.filter((entry) => !entry.startsWith('default:'));
  const inherited = told.filter((entry) => entry.startsWith('default:'));
  const extended = access.every((entry) => baseEntry.test(entry)) ? [] : access;
  return [...extended, ...inherited].map((entry) => `acl ${entry}`);
}

function add(map: AttributeMap, path: string, facts: readonly string[]): void {
  if (facts.length > 0) map.set(path, [...(map.get(path) ?? []), ...facts]);
}

const sorted = (map: AttributeMap): AttributeMap =>
  new Map([...map].map(([path, facts]) => [path, [...facts].sort()]));

const escapes: Record<string, number> = { n: 10, t: 9, r: 13, b: 8, f: 12, v: 11, a: 7, '\\': 92 };

/** The escapes of tar, getfattr and getfacl: backslash and three octal digits, or one letter. Bytes, then UTF-8. */
export function unescapeOctal(text: string): string {
  const bytes: number[] = [];
  for (const [piece] of text.matchAll(/\\[0-7]{3}|\\.|[^\\]+/gs)) {
    if (/^\\[0-7]{3}$/.test(piece)) bytes.push(Number.parseInt(piece.slice(1), 8));
    else if (piece.startsWith('\\') && escapes[piece.slice(1)] !== undefined)
      bytes.push(escapes[piece.slice(1)] ?? 0);
    else bytes.push(...Buffer.from(piece));
  }
  return Buffer.from(bytes).toString('utf8');
}
