import type { MissingDisk } from './array.js';
import type { ArrayConf } from './conf.js';

/** Several disks that are away at once: as many can be rebuilt as there are parities left. Pure. */

export interface Dead {
  data: string[];
  /** Parities that can be computed from. */
  left: number;
}

/** A disk that fails can perhaps still be read: it is not one of them. `useless`: parities that are there and too short. */
export function deadOf(
  { data, parity }: Pick<ArrayConf, 'data' | 'parity'>,
  missing: readonly MissingDisk[],
  useless: readonly string[] = [],
): Dead {
  const gone = new Set([
    ...missing.filter(({ isFailing }) => !isFailing).map(({ disk }) => disk),
    ...useless,
  ]);
  const isDead = ({ name }: { name: string }): boolean => gone.has(name);
  return {
    data: data.filter(isDead).map(({ name }) => name),
    left: parity.filter((one) => !isDead(one)).length,
  };
}

/** Empty where there is nothing to say but the name of the one disk. */
export function deadWords({ data, left }: Dead): string {
  if (data.length === 0 || (data.length === 1 && left > 0)) return '';
  const [are, parities] = [data.length === 1 ? 'is' : 'are', left < 2 ? 'parity is' : 'parities are'];
  const away = `${data.join(' and ')} ${are} away, and ${left === 0 ? 'no' : left} ${parities} left`;
  if (left === 0) return `${away}: nothing of it can be had back without one of them. `;
  return data.length <= left
    ? `${away}: enough to rebuild them, one after the other. `
    : `${away}: where they held something at the same places it is lost, unless one comes back. `;
}
