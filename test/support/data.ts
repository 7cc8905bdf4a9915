import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { noise, pngImage, seeded, text } from './content.js';
import { makeOddities } from './odd-data.js';

export interface TreeOptions {
  /** Ordinary files, besides the odd ones. */
  files: number;
  /** What the ordinary files hold together, roughly. */
  bytes: number;
  /** The same seed makes the same tree. */
  seed: number;
  /** Default true: odd names, links, sparse files, attributes (see odd-data.ts). */
  odd?: boolean;
  /** Default false: names that are no UTF-8, as old machines left them. */
  binaryNames?: boolean;
}

export interface TreeMade {
  /** Regular files, the odd ones included; each hard link counts. */
  files: number;
  bytes: number;
  /** What this machine or file system could not make, in words. */
  skipped: string[];
}

/** Sizes as in a real folder: many small, few large; the sum comes out near `bytes`. */
function sizes(files: number, bytes: number, next: () => number): number[] {
  const weights = Array.from({ length: files }, () => next() ** 6 + 0.01);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => Math.max(1, Math.floor((weight / sum) * bytes)));
}

const kinds = ['image', 'text', 'noise', 'image'] as const;
const endings = { image: 'png', text: 'txt', noise: 'bin' } as const;

function content(kind: (typeof kinds)[number], size: number, seed: number): Buffer {
  if (kind === 'text') return text(size, seed);
  return kind === 'image' ? pngImage(size, seed) : noise(size, seed);
}

/** A tree that is the same for the same seed: text, real PNG images, noise, and everything odd that a disk can hold. */
export function makeTree(folder: string, options: TreeOptions): TreeMade {
  const next = seeded(options.seed);
  mkdirSync(folder, { recursive: true });
  const made: TreeMade = { files: 0, bytes: 0, skipped: [] };
  for (const [index, size] of sizes(options.files, options.bytes, next).entries()) {
    const kind = kinds[index % kinds.length] ?? 'noise';
    const path = join(folder, placeOf(index), `${kind}-${index}.${endings[kind]}`);
    const bytes = content(kind, size, options.seed + index);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    made.files += 1;
    made.bytes += bytes.length;
  }
  if (options.odd !== false)
    makeOddities(join(folder, 'odd'), made, {
      seed: options.seed,
      binaryNames: options.binaryNames ?? false,
    });
  return made;
}

/** 25 files a folder, two levels: 2019/03/… */
function placeOf(index: number): string {
  const shelf = Math.floor(index / 25);
  return join(`${2015 + (Math.floor(shelf / 12) % 10)}`, `${(shelf % 12) + 1}`.padStart(2, '0'));
}
