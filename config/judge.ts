import type { Finding, KeyPath } from './mistakes.js';
import { findingsOf, plainMessage } from './plain-words.js';
import { type Config, ConfigFile } from './schema.js';

/** What stands at a path; undefined when the way there ends early. */
export function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (inner, part) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, part)
        ? (inner as Record<string | number, unknown>)[part]
        : undefined,
    value,
  );
}

interface Judgement {
  /** What is left of the configuration when the parts with mistakes are taken out: the rest can still be checked. */
  config?: Config;
  findings: Finding[];
  /** False as soon as anything was taken out: such a configuration is only for looking further, never for use. */
  clean: boolean;
  /** Findings name keys as they were judged; `asWritten` leads back. */
  renamed: Renamed[];
}

/** A misspelt key and what it was judged as. */
export interface Renamed {
  from: KeyPath;
  to: KeyPath;
}

/**
 * One pass of the schema hides what refinements and the cross checks would find. So what is wrong is taken out and the
 * rest judged again, until it fits; what only follows from a part having been taken out is not told.
 */
export function judge(input: object): Judgement {
  const value: unknown = structuredClone(input);
  const findings: Finding[] = [];
  const removed: KeyPath[] = [];
  const renamed: Renamed[] = [];
  for (let round = 0; round < 50; round += 1) {
    const result = ConfigFile.safeParse(value, { error: plainMessage });
    if (result.success) {
      const clean = round === 0;
      return { config: result.data, findings: atLeastOne(findings, clean), clean, renamed };
    }
    const all = result.error.issues.flatMap((issue) => findingsOf(issue));
    const found = all.filter((finding) => !isMisspelt(finding, all));
    findings.push(...found.filter((finding) => !isConsequence(finding, removed)));
    const gone = found.map((finding) => {
      const path = takeOut(value, finding, renamed);
      if (finding.meant === undefined) removed.push(finding.path, path);
      return path;
    });
    if (gone.every((path) => path.length === 0)) break;
  }
  return { findings: atLeastOne(findings, false), clean: false, renamed };
}

/** What was refused is never told as right, even if we should fail to say why. */
const atLeastOne = (findings: Finding[], clean: boolean): Finding[] =>
  clean || findings.length > 0
    ? findings
    : [{ path: [], message: 'has a mistake that has no words yet; please report it' }];

/** Follows from something that was taken out beside it. */
const isConsequence = ({ path }: Finding, removed: readonly KeyPath[]): boolean =>
  removed.some((gone) => isBelow(gone, path.slice(0, -1)));

/** Missing only because it stands there under another name, which is told. */
const isMisspelt = ({ path }: Finding, all: readonly Finding[]): boolean =>
  all.some(
    ({ meant, path: other }) =>
      meant !== undefined &&
      meant === path.at(-1) &&
      other.length === path.length &&
      isBelow(other, path.slice(0, -1)),
  );

/** A misspelt key is given its right name where that is free, so that what is below it is still judged. */
function takeOut(value: unknown, { path, meant }: Finding, renamed: Renamed[]): KeyPath {
  const misspelt = meant === undefined ? undefined : valueAt(value, path);
  const gone = removeAt(value, path);
  const parent = valueAt(value, path.slice(0, -1));
  if (meant !== undefined && typeof parent === 'object' && parent !== null && !Object.hasOwn(parent, meant)) {
    (parent as Record<string, unknown>)[meant] = misspelt;
    renamed.push({ from: path, to: [...path.slice(0, -1), meant] });
  }
  return gone;
}

/** Back to the keys as they stand in the file. */
export const asWritten = (path: KeyPath, renamed: readonly Renamed[]): KeyPath =>
  [...renamed]
    .reverse()
    .reduce<KeyPath>(
      (inner, { from, to }) => (isBelow(inner, to) ? [...from, ...inner.slice(to.length)] : inner),
      path,
    );

const isBelow = (path: KeyPath, above: KeyPath): boolean => above.every((part, at) => path[at] === part);

/** Takes out the value, or the nearest thing around it that is there; says what went. */
function removeAt(value: unknown, path: KeyPath): KeyPath {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const parent = valueAt(value, path.slice(0, depth - 1));
    const part = path[depth - 1] as string | number;
    if (Array.isArray(parent) && Number(part) < parent.length) {
      parent.splice(0);
      return path.slice(0, depth);
    }
    if (typeof parent === 'object' && parent !== null && Object.hasOwn(parent, part)) {
      delete (parent as Record<string | number, unknown>)[part];
      return path.slice(0, depth);
    }
  }
  return [];
}
