import type { ClockReading, Finding } from '../../contracts/doctor.js';
import { about } from './findings.js';

const warningMs = 5_000;
const blockingMs = 60_000;

/** How far a clock is off for certain; 0 when it lies between the two readings of the other clock. */
export const offsetMs = ({ beforeMs, hostMs, afterMs }: ClockReading): number =>
  hostMs < beforeMs ? hostMs - beforeMs : Math.max(0, hostMs - afterMs);

/** Schedules go by the server's clock, retention and locks by the hosts'. */
export function judgeClock(host: string, reading: ClockReading): Finding {
  const tell = about(host);
  const offset = offsetMs(reading);
  const seconds = Math.round(Math.abs(offset) / 1000);
  const found = `at least ${seconds} s ${offset < 0 ? 'behind' : 'ahead of'} the clock of Temporal`;
  const next = 'Set the clock (chrony, systemd-timesyncd): ages, retention and locks are reckoned with it';
  if (Math.abs(offset) > blockingMs) return tell.blocking('clock', found, next);
  if (Math.abs(offset) > warningMs) return tell.warning('clock', found, next);
  return tell.ok('clock', 'agrees with the clock of Temporal within 5 s');
}
