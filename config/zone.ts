import { nearest } from './mistakes.js';

/** The server knows zones by their exact IANA name; "europe/berlin" or "+01:00", which JavaScript takes, it refuses. */
export function zoneMistake(zone: string): string | undefined {
  const known = Intl.supportedValuesOf('timeZone');
  if (zone === 'UTC' || known.includes(zone)) return undefined;
  const otherCase = known.find((name) => name.toLowerCase() === zone.toLowerCase());
  if (!otherCase && isZone(zone) && /^[A-Z]/.test(zone)) return undefined;
  const meant = otherCase ?? (zone.toUpperCase() === 'UTC' ? 'UTC' : nearest(zone, ['UTC', ...known]));
  return `is not a time zone${meant ? `; did you mean "${meant}"?` : '; write it as in Europe/Berlin, or UTC'}`;
}

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
