import type { DrillReport, DrillStepInput, HostFacts } from '../../contracts/doctor.js';
import { now } from '../../system/clock.js';
import type { Door } from '../door.js';
import { playDrill } from './drill.js';
import type { EngineParts } from './drill-stage.js';
import { type ProbeOptions, probe } from './probe.js';

export interface DoctorOptions extends ProbeOptions {
  door: Door;
  engine: EngineParts;
  /** The door for short questions: see run.ts. */
  answer: <O>(body: (signal: AbortSignal) => Promise<O>) => Promise<O>;
}

/** What the doctor asks of a host. */
export function createDoctorActivities({ door, answer, engine, ...options }: DoctorOptions) {
  return {
    /** Milliseconds since 1970 by this host; also the quickest way to learn that nobody is there. */
    hostClock: (): Promise<number> => answer(async () => now().getTime()),
    hostProbe: (): Promise<HostFacts> => answer((signal) => probe(options, signal)),
    hostDrill: (input: DrillStepInput): Promise<DrillReport> =>
      door.step(input, (tools) => playDrill(tools, input, engine)),
  };
}

export type DoctorActivities = ReturnType<typeof createDoctorActivities>;
