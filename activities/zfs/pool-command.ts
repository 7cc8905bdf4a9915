import type { Command } from '../../system/host.js';

/** How zpool is asked. Its words are read, so they come in one language and in one time zone. */
const poolCommand = (file: string, args: readonly string[]): Command => ({
  file,
  args,
  env: { LC_ALL: 'C', TZ: 'UTC' },
});

/** JSON since 2.3; what older ones say in words is read by parse-pool-text.ts. */
export const statusCommand = (zpool: string, pool: string, form: 'json' | 'text'): Command =>
  poolCommand(zpool, ['status', ...(form === 'json' ? ['-j'] : []), '-p', '-v', pool]);

/** Starts a scrub, or goes on with one that was paused. */
export const scrubCommand = (zpool: string, pool: string): Command => poolCommand(zpool, ['scrub', pool]);

/** What was read is remembered: the next start goes on there. */
export const pauseScrubCommand = (zpool: string, pool: string): Command =>
  poolCommand(zpool, ['scrub', '-p', pool]);

/** Size, use and health of one pool. */
export const poolListCommand = (zpool: string, pool: string): Command =>
  poolCommand(zpool, ['list', '-Hp', '-o', 'name,health,size,free,capacity', pool]);
