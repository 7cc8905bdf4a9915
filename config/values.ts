import ms from 'ms';
import { z } from 'zod';
import { namePattern } from '../contracts/names.js';

/** The small forms that values have in holdfast.yaml: durations, sizes, names, secrets by reference. */

/** What things may be called: hosts, resources, stores and jobs. */
export const Name = z
  .string()
  .regex(namePattern, 'must be 1 to 63 of the characters a-z, 0-9 and "-": it goes into ids and tags')
  .meta({ title: 'name' });

/** A place on a host. */
export const AbsolutePath = z
  .string()
  .startsWith('/', 'must be an absolute path')
  .meta({ title: 'absolute path' });

/** A whole number from 1 on that may be left out. */
export const count = (description: string, example: number) =>
  z
    .number()
    .int()
    .min(1)
    .optional()
    .describe(description)
    .meta({ examples: [example] });

const durationForm = /^\d{1,9}(\.\d{1,3})?\s?(ms|s|m|h|d|w)$/;

const durationWords = 'is not a duration: write a number and ms, s, m, h, d or w, for example 26h';

/** For text that people write as a bare number: says the form instead of "must be text". A missing value stays "missing". */
export const wordsFor =
  (words: string) =>
  (issue: { input?: unknown }): string | undefined =>
    issue.input === undefined || issue.input === null ? undefined : words;

/** "26h" -> milliseconds. */
export const Duration = z
  .string({ error: wordsFor(durationWords) })
  .regex(durationForm, durationWords)
  .transform((text) => ms(text as ms.StringValue))
  .meta({ title: 'duration' });

/** For what makes no sense without time: nothing at all would mean "never" or "for ever" further down. */
export const atLeast = (least: ms.StringValue, why: string) =>
  Duration.refine((milliseconds) => milliseconds >= ms(least), `must be at least ${least}: ${why}`);

const sizeUnits: Record<string, number> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};
const sizeForm = /^(\d{1,15}(?:\.\d{1,3})?)\s?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$/;

const sizeWords =
  'is not a size: write a number of bytes, or a number and B, kB, MB, GB, TB, KiB, MiB, GiB or TiB';

/** "1GiB" or a plain number of bytes -> bytes. */
export const Size = z
  .union(
    [
      z.number().int().min(0),
      z
        .string()
        .regex(sizeForm, sizeWords)
        .transform((text) => {
          const [, amount, unit] = sizeForm.exec(text) ?? [];
          return Math.round(Number(amount) * (sizeUnits[unit ?? 'B'] ?? 1));
        }),
    ],
    { error: sizeWords },
  )
  .meta({ title: 'size' });

const percentWords = 'must be a percentage below 100%, as in 2%';

/** "2%" -> 0.02 */
export const Percentage = z
  .string({ error: wordsFor(percentWords) })
  .regex(/^\d{1,2}(\.\d{1,2})?%$/, percentWords)
  .transform((text) => Number(text.slice(0, -1)) / 100)
  .meta({ title: 'percentage' });

const File = z
  .string()
  .startsWith('/', 'must be the absolute path of a file')
  .meta({ title: 'absolute path' })
  .describe('A file on the host; its last line break is not part of the secret')
  .meta({ examples: ['/etc/holdfast/store.key'] });
const Variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of a variable')
  .describe("A variable of the worker's environment")
  .meta({ examples: ['STORE_KEY'] });
const SecretCommand = z
  .array(z.string().min(1))
  .min(1)
  .describe('A program and its arguments, run on the host; what it prints is the secret')
  .meta({ examples: [['pass', 'show', 'store/key']] });

const forms = 'one of { file: /path }, { env: NAME } and { command: [program, argument] }';

/** Where a secret is, never the secret itself. */
export const SecretReference = z
  .union(
    [
      z.strictObject({ file: File }),
      z.strictObject({ env: Variable }),
      z.strictObject({ command: SecretCommand }),
    ],
    {
      error: (issue) =>
        issue.input === undefined
          ? `is missing: ${forms}`
          : `must be a reference, exactly ${forms}; a secret itself never stands in this file`,
    },
  )
  .meta({ title: 'reference to a secret' });
export type SecretReference = z.output<typeof SecretReference>;

/** A value for a tool's environment: plain text where it is no secret, else a reference. */
export const EnvironmentValue = z
  .union([z.string(), SecretReference], {
    error: `must be text (numbers go in quotes) or, for a secret, a reference: ${forms}`,
  })
  .meta({ title: 'text or reference to a secret' });
