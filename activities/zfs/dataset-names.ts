/** How datasets lie below one another, by their names alone. */

/** '' for a pool. */
export const parentOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf('/')));

/** Not itself. */
export const isBelow = (name: string, root: string): boolean => name.startsWith(`${root}/`);

export const isAtOrBelow = (name: string, root: string): boolean => name === root || isBelow(name, root);
