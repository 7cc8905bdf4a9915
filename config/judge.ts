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
}

/**
 * One pass of the schema hides what refinements and the cross checks would find. So what is wrong is taken out and the
 * rest judged again, until it fits; what only follows from a part having been taken out is not told.
 */
export function judge(input: object): Judgement {
  const value: unknown = structuredClone(input);
  const findings: Finding[] = [];
  const removed: KeyPath[] = [];
  for (let round = 0; round < 50; round += 1) {
    const result = ConfigFile.safeParse(value, { error: plainMessage });
    if (result.success)
      return { config: result.data, findings: atLeastOne(findings, round), clean: round === 0 };
    const found = result.error.issues.flatMap((issue) => findingsOf(issue));
    findings.push(...found.filter((finding) => !isConsequence(finding, found, removed)));
    const gone = found.map((finding) => {
      const path = takeOut(value, finding);
      if (finding.meant === undefined) removed.push(finding.path, path);
      return path;
    });
    if (gone.every((path) => path.length === 0)) break;
  }
  return { findings: atLeastOne(findings, 1), clean: false };
}

/** What was refused is never told as right, even if we should fail to say why. */
const atLeastOne = (findings: Finding[], round: number): Finding[] =>
  round > 0 && findings.length === 0
    ? [{ path: [], message: 'has a mistake that has no words yet; please report it' }]
    : findings;

/** Follows from something taken out beside it, or from a key that is misspelt and told as such. */
function isConsequence({ path }: Finding, found: readonly Finding[], removed: readonly KeyPath[]): boolean {
  const above = path.slice(0, -1);
  if (removed.some((gone) => isBelow(gone, above))) return true;
  return found.some(
    (other) =>
      other.meant !== undefined &&
      other.meant === path.at(-1) &&
      other.path.length === path.length &&
      isBelow(other.path, above),
  );
}

/** A misspelt key is given its right name where that is free, so that what is below it is still judged. */
function takeOut(value: unknown, { path, meant }: Finding): KeyPath {
  const misspelt = meant === undefined ? undefined : valueAt(value, path);
  const gone = removeAt(value, path);
  const parent = valueAt(value, path.slice(0, -1));
  if (meant !== undefined && typeof parent === 'object' && parent !== null && !Object.hasOwn(parent, meant)) {
    (parent as Record<string, unknown>)[meant] = misspelt;
  }
  return gone;
}

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
