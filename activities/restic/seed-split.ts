/** Cuts a source into portions that are uploaded one after the other. Pure. */

/** A file or folder of the source with all that lies below it. */
export interface SourceNode {
  /** Absolute. */
  path: string;
  bytes: number;
  files: number;
  /** Absent where a folder is not cut any further. */
  children?: readonly SourceNode[];
}

export interface Bounds {
  bytes: number;
  files: number;
}

export interface Portion extends Bounds {
  /** What the portion takes, each with all that lies below it. */
  units: SourceNode[];
}

/** Whether something is small enough to be uploaded in one go. */
export const fits = ({ bytes, files }: Bounds, bounds: Bounds): boolean =>
  bytes <= bounds.bytes && files <= bounds.files;

/** Everything below the root, each file in exactly one portion, in an order that stays the same while the source does. */
export function portionsOf(root: SourceNode, bounds: Bounds): Portion[] {
  const portions: Portion[] = [];
  let current: Portion = { units: [], bytes: 0, files: 0 };
  for (const unit of unitsOf(root, bounds)) {
    const grown = { bytes: current.bytes + unit.bytes, files: current.files + unit.files };
    if (current.units.length > 0 && !fits(grown, bounds)) {
      portions.push(current);
      current = { units: [], bytes: 0, files: 0 };
    }
    current.units.push(unit);
    current.bytes += unit.bytes;
    current.files += unit.files;
  }
  return current.units.length > 0 ? [...portions, current] : portions;
}

/** What is small enough stays whole; what cannot be cut stays whole as well. */
function unitsOf(node: SourceNode, bounds: Bounds): SourceNode[] {
  if (!node.children || fits(node, bounds)) return [node];
  return node.children.flatMap((child) => unitsOf(child, bounds));
}

/** Whether every unit lies in what a part has already taken. */
export function isTaken({ units }: Portion, taken: readonly string[]): boolean {
  const roots = new Set(taken);
  return units.every(({ path }) => withAncestors(path).some((ancestor) => roots.has(ancestor)));
}

function withAncestors(path: string): string[] {
  const paths = [path];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
    paths.push(path.slice(0, at));
  return [...paths, '/'];
}

/** The shortest list of paths that names these units: a folder whose every child is there is named itself. */
export function shortest(node: SourceNode, units: ReadonlySet<string>): string[] {
  if (units.has(node.path)) return [node.path];
  const { children = [] } = node;
  const below = children.map((child) => shortest(child, units));
  const whole = children.length > 0 && children.every(({ path }, at) => below[at]?.[0] === path);
  return whole ? [node.path] : below.flat();
}
