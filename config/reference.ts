import { configJsonSchema } from './json-schema.js';
import { inline, type Section, sectionsOf, typeWords } from './keys.js';

/** The reference page of the configuration, made from the schema: what it says is what is accepted. */

const introduction = `# Configuration

<!-- Generated from config/schema.ts by "node dist/config/generate.js". -->

Everything is in one file, \`holdfast.yaml\`, the same on every host. It is looked for in this order: \`--config FILE\`,
\`HOLDFAST_CONFIG\`, \`./holdfast.yaml\`, \`~/.config/holdfast/holdfast.yaml\` (or below \`XDG_CONFIG_HOME\`),
\`/etc/holdfast/holdfast.yaml\`. \`holdfast check\` names every mistake in it with line and key.

An editor with a YAML language server completes and checks the file when its first line names the schema:

\`\`\`yaml
# yaml-language-server: $schema=/path/to/holdfast/config/holdfast.schema.json
\`\`\`

## Forms of values

| Form | How it is written |
|---|---|
| name | 1 to 63 of the characters a-z, 0-9 and "-" |
| duration | a number and \`ms\`, \`s\`, \`m\`, \`h\`, \`d\` or \`w\`: \`90s\`, \`26h\`, \`1.5d\` |
| size | a number of bytes, or a number and \`B\`, \`kB\`, \`MB\`, \`GB\`, \`TB\`, \`KiB\`, \`MiB\`, \`GiB\` or \`TiB\`: \`1GiB\` |
| cron line | minute, hour, day of month, month, day of week, as in \`30 3 * * *\`; or \`@hourly\`, \`@daily\`, \`@weekly\`, \`@monthly\`, \`@yearly\`. When both days are restricted, either is enough, as in cron |
| time zone | an IANA name such as \`Europe/Berlin\`, or \`UTC\` |
| reference to a secret | exactly one of \`{ file: /path }\`, \`{ env: NAME }\` and \`{ command: [program, argument] }\`, read on the host at the moment of use; the secret itself never stands in the file |
`;

/** The whole page. */
export function renderReference(): string {
  const sections = sectionsOf({ path: '', schema: configJsonSchema() });
  return `${[introduction.trimEnd(), ...sections.map(renderSection)].join('\n\n')}\n`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const code = (value: unknown): string => `\`${inline(value)}\``;

function renderSection({ path, schema }: Section): string {
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    const needed = schema.required?.includes(key) ? 'required' : '';
    const preset = value.default === undefined || isEmpty(value.default) ? needed : code(value.default);
    const example = value.examples?.[0] === undefined ? '' : code(value.examples[0]);
    const own = path === '' ? key : `${path}.${key}`;
    return [`\`${key}\``, typeWords(value, own, { code, link }), preset, example, value.description ?? ''];
  });
  const kind = schema.properties?.kind?.const;
  const head = `## ${path === '' ? 'The file' : path}${kind === undefined ? '' : ` (${kind})`}`;
  return [
    head,
    '',
    '| Key | Type | Default | Example | Description |',
    '|---|---|---|---|---|',
    ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
  ].join('\n');
}

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

const link = (section: Section): string => {
  const kind = section.schema.properties?.kind?.const;
  const heading = `${section.path}${kind === undefined ? '' : ` (${kind})`}`;
  const anchor = heading
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
  return `[${section.path}](#${anchor})`;
};
