import type { Finding, HostFacts, SpaceFacts } from '../../contracts/doctor.js';
import { bytes } from '../render.js';
import { about, type Teller } from './findings.js';
import { judgeChannel } from './judge-channels.js';
import { judgeSource, judgeStore } from './judge-jobs.js';
import { judgeLeftovers } from './judge-leftovers.js';
import { judgePool, judgeZfs } from './judge-pools.js';
import { judgeSsh } from './judge-ssh.js';
import { judgeTools } from './judge-tools.js';

/** From what a host said to what it means. Pure. */

/** What the command line knows by itself, to compare with. */
export interface Own {
  /** Of Holdfast. */
  version: string;
  digests: Readonly<Record<string, string>>;
}

/** In the order in which an operator would look: the worker, its file, its tools, then what it works on. */
export function judgeHost(host: string, facts: HostFacts, own: Own): Finding[] {
  const tell = about(host);
  return [
    judgeVersion(tell, facts, own),
    judgeConfiguration(tell, facts, own),
    ...(facts.ssh ? judgeSsh(tell, facts.ssh) : []),
    ...judgeTools(tell, facts),
    judgeUser(tell, facts),
    ...judgeState(tell, facts),
    ...facts.space.map((space) => judgeSpace(tell, space)),
    ...(facts.zfs ? judgeZfs(tell, facts.zfs) : []),
    ...(facts.pools ?? []).flatMap((pool) => judgePool(tell, pool, Date.parse(facts.at))),
    ...(facts.leftovers ? judgeLeftovers(tell, facts.leftovers, facts.pools !== undefined) : []),
    ...facts.sources.map((source) => judgeSource(tell, source)),
    ...facts.stores.flatMap((store) => judgeStore(tell, store, Date.parse(facts.at))),
    ...(facts.channels ?? []).flatMap((channel) => judgeChannel(tell, channel)),
    ...judgeLeftOut(tell, facts),
  ];
}

function judgeVersion(tell: Teller, { holdfast, node }: HostFacts, { version }: Own): Finding {
  if (holdfast === version) return tell.ok('holdfast', `${holdfast} on Node ${node}`);
  return tell.warning(
    'holdfast',
    `the worker is ${holdfast}, this command ${version}`,
    'Give every machine the same version, then start its worker again',
  );
}

/** Sections are compared: "resources differ" says where to look, and no value leaves the host. */
function judgeConfiguration(
  tell: Teller,
  { configuration, holdfast }: HostFacts,
  { digests, version }: Own,
): Finding {
  const next = 'Give the host the same holdfast.yaml as this machine; the worker reads it again by itself';
  if ('error' in configuration)
    return tell.blocking('configuration', `the worker cannot use its own file: ${configuration.error}`, next);
  const sections = new Set([...Object.keys(digests), ...Object.keys(configuration.digests)]);
  const different = [...sections].filter((name) => digests[name] !== configuration.digests[name]);
  if (different.length === 0) return tell.ok('configuration', 'the same as here');
  const other = holdfast === version ? '' : ' (or read differently by the other version)';
  return tell.warning('configuration', `differs from the one here in ${different.join(', ')}${other}`, next);
}

function judgeUser(tell: Teller, { uid }: HostFacts): Finding {
  if (uid === 0) return tell.ok('user', 'root: owners, access lists and all attributes can be restored');
  return tell.note(
    'user',
    `uid ${uid}, not root: restored files belong to it, and of the extended attributes only user.* come back`,
    'Run the worker as root where owners and access lists matter',
  );
}

function judgeState(tell: Teller, facts: HostFacts): Finding[] {
  const { stateFolder, stateError, evidence, openUndos } = facts;
  const found = [
    stateError === undefined
      ? tell.ok('state folder', `${stateFolder} can be written`)
      : tell.blocking(
          'state folder',
          `${stateFolder} cannot be written: ${stateError}`,
          'Give the worker’s user the folder, or name another with HOLDFAST_STATE',
        ),
    judgeEvidence(tell, evidence, facts.ssh ? "of this host, on its worker's machine," : stateFolder),
  ];
  if (openUndos.length > 0) {
    const list = `${openUndos.slice(0, 5).join(', ')}${openUndos.length > 5 ? ', …' : ''}`;
    found.push(
      tell.warning(
        'left changed',
        `not yet put back: ${list}`,
        'A run that goes on puts it back at its end; else start the worker again, which puts it back',
      ),
    );
  }
  return found;
}

function judgeEvidence(tell: Teller, evidence: HostFacts['evidence'], folder: string): Finding {
  const { entries, unreadable, error } = evidence;
  const file = `${folder}/evidence.jsonl`;
  if (error !== undefined)
    return tell.blocking(
      'evidence',
      `${file} cannot be read: ${error}`,
      'Look at its rights; without it nothing counts as proved',
    );
  if (unreadable > 0)
    return tell.note('evidence', `${entries} facts; ${unreadable} lines are torn or of a newer version`);
  return tell.ok('evidence', `${entries} facts`);
}

const blockingBytes = 100 * 2 ** 20;
const warningBytes = 2 ** 30;

function judgeSpace(tell: Teller, { what, path, bytesFree }: SpaceFacts): Finding {
  const subject = `space for ${what}`;
  const found = `${bytes(bytesFree)} free at ${path}`;
  const next = 'Free some space before the next run';
  if (bytesFree < blockingBytes) return tell.blocking(subject, found, next);
  return bytesFree < warningBytes ? tell.warning(subject, found, next) : tell.ok(subject, found);
}

function judgeLeftOut(tell: Teller, { leftOut = 0, leftOutBad = 0 }: HostFacts): Finding[] {
  if (leftOutBad > 0) {
    const found = `${leftOutBad} more sources and stores have faults, and did not fit into the answer`;
    return [tell.blocking('answer', found, 'Mend what is told here, then ask again')];
  }
  if (leftOut === 0) return [];
  return [
    tell.note('answer', `${leftOut} sources, stores and disks without fault did not fit into the answer`),
  ];
}
