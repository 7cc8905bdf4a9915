import { setTimeout as pause } from 'node:timers/promises';

/** Tests wait for what they need, never for a time: answers the first truthy value, and says what was missing when none came. */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  options: { timeoutMs: number; what: string; everyMs?: number },
): Promise<NonNullable<T>> {
  const endsAt = performance.now() + options.timeoutMs;
  let lastError: unknown;
  do {
    try {
      const value = await condition();
      if (value) return value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    await pause(options.everyMs ?? 50);
  } while (performance.now() < endsAt);
  throw new Error(`waited ${options.timeoutMs} ms in vain for ${options.what}`, { cause: lastError });
}
