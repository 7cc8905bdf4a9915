import { HoldfastError } from '../../contracts/errors.js';
import type { Tools } from '../door.js';
import { whyNotZero } from '../host/hooks.js';

/** A machine that does not answer may still serve its clients: whether it is off, a program of the operator's own can prove. */

export interface OffProof {
  isOff: boolean;
  /** What was asked, and how it ended. */
  words: string;
}

/** Runs on the worker of the replica, also where that drives it over ssh; undefined where the configuration names no program. Whatever goes wrong proves nothing. */
export async function proveOff(tools: Tools, name: string): Promise<OffProof | undefined> {
  const proof = tools.config.hosts[name]?.proveOff;
  if (!proof) return undefined;
  const { driver } = tools.host;
  const call = { argv: proof.command, timeoutMs: proof.timeout };
  tools.progress({ phase: `asking whether ${name} is off` });
  const why = await whyNotZero(driver, call, tools).catch((error: unknown) => {
    if (tools.signal.aborted || !(error instanceof HoldfastError)) throw error;
    return error.message;
  });
  const asked = `hosts.${name}.proveOff on "${driver.name}"`;
  const words = why === undefined ? `${asked} proves that it is off` : `${asked} does not prove it: ${why}`;
  tools.log(words);
  return { isOff: why === undefined, words: words.slice(0, 200) };
}
