import { awayHosts, awayWords } from '../../config/away.js';
import type { Config } from '../../config/schema.js';
import type { Finding } from '../../contracts/doctor.js';
import { errors, isErrorCode } from '../../contracts/errors.js';
import { configurationDigests } from '../../schedules/configuration.js';
import type { Context, Temporal } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { describeFailure } from '../fail.js';
import { findHost } from '../jobs.js';
import { examineChannels } from './ask-channels.js';
import { askHost, type HostReply } from './ask-host.js';
import { askTemporal } from './ask-temporal.js';
import { about, exitOfFindings } from './findings.js';
import { judgeFile, judgeOwnSpace, judgeThisMachine, ownVersion } from './here.js';
import { judgeClock, offsetMs } from './judge-clock.js';
import { judgeHost, type Own } from './judge-host.js';
import { type HostZfs, judgeNames } from './judge-names.js';
import { judgeTemporal } from './judge-temporal.js';
import { renderFindings } from './view.js';

/** `doctor [HOST]`: asks everybody, judges, and says what to do. */
export async function examine(context: Context, host: string | undefined): Promise<number> {
  const config = await context.config();
  if (host !== undefined) findHost(config, host);
  const file = judgeFile(await context.configFile());
  const { findings, exit } = await examineEstate(context, config, host);
  const all = [...file, ...findings];
  if (context.json) context.out(JSON.stringify({ findings: all }, null, 2));
  else for (const line of renderFindings(context, all)) context.out(line);
  return exit ?? exitOfFindings(all);
}

interface Examined {
  findings: Finding[];
  /** Set when it does not follow from the findings. */
  exit?: number;
}

async function examineEstate(context: Context, config: Config, host: string | undefined): Promise<Examined> {
  let temporal: Temporal;
  let server: Finding[];
  try {
    temporal = await context.temporal();
    server = judgeTemporal(await askTemporal(temporal, config, context.now()));
  } catch (error) {
    const { code, message, next } = describeFailure(error);
    if (code !== 'HF_TEMPORAL_UNREACHABLE' && code !== 'HF_TEMPORAL_REFUSED') throw error;
    const said = `${message}; no host was asked, only this machine was looked at`;
    const findings = [about('temporal').blocking('server', said, next)];
    findings.push(...(await judgeThisMachine(config, context.stateFolder)));
    return { findings, exit: exitCodes.unreachable };
  }
  const cannotAsk = server.some(({ level, subject }) => level === 'blocking' && notAskable.has(subject));
  if (cannotAsk) return { findings: [...server, ...(await judgeThisMachine(config, context.stateFolder))] };
  const full = await judgeOwnSpace(temporal.address, config, context.stateFolder);
  if (full.length > 0) return { findings: [...full, ...server] };
  const asked = await Promise.all(
    host === undefined
      ? Object.keys(config.hosts).map((name) => examineUnlessAway(context, temporal, config, name))
      : [examineHost(context, temporal, config, host)],
  );
  const channels = await examineChannels(temporal, config, host, context.now());
  const both = judgeNames(asked.flatMap(({ seen }) => (seen ? [seen] : [])));
  return { findings: [...server, ...asked.flatMap(({ findings }) => findings), ...both, ...channels] };
}

/** Without these no workflow goes on. */
const notAskable = new Set(['namespace', 'orchestrator']);

interface Asked {
  findings: Finding[];
  /** Of what is compared between hosts. */
  seen?: HostZfs;
}

/** A host that is known to be away is asked only by name: its silence takes minutes, and says nothing new. */
function examineUnlessAway(
  context: Context,
  temporal: Temporal,
  config: Config,
  host: string,
): Promise<Asked> | Asked {
  const words = awayHosts(config, host)
    .filter(({ untilMs }) => untilMs > context.now().getTime())
    .map(awayWords);
  if (words.length === 0) return examineHost(context, temporal, config, host);
  const next = `"holdfast doctor ${host}" asks it all the same`;
  return { findings: [about(host).note('host', words.join('; '), next)] };
}

async function examineHost(
  context: Context,
  temporal: Temporal,
  config: Config,
  host: string,
): Promise<Asked> {
  const via = config.hosts[host]?.ssh?.via;
  const own = { version: ownVersion(), digests: configurationDigests(config) };
  const reply = await askHost(temporal, host, context.now);
  const zfs = 'facts' in reply ? reply.facts.zfs : undefined;
  return { findings: judgeReply(reply, own, via), ...(zfs && { seen: { host, zfs } }) };
}

/** Pure: what a reply, or none, says about the host. */
export function judgeReply(reply: HostReply, own: Own, via?: string): Finding[] {
  const tell = about(reply.host);
  if ('failure' in reply) {
    const { code, message } = reply.failure;
    if (code.startsWith('HF_SSH_')) return [tell.blocking('ssh', message, nextOf(code))];
    if (code !== 'HF_HOST_UNREACHABLE')
      return [
        tell.blocking('worker', message, 'Read the log of its worker; give every machine the same Holdfast'),
      ];
    return [
      tell.blocking(
        'worker',
        'does not answer: no run with a source or a store of this host can go on',
        via === undefined
          ? `Start "holdfast worker --host ${reply.host}" on the host; if it runs, all its places may be taken: look at its log`
          : `Start "holdfast worker --host ${via}", which drives it over ssh; one that runs since before the host was named must be started again`,
      ),
    ];
  }
  return [
    tell.ok('worker', via === undefined ? 'answers' : `that of ${via} answers`),
    judgeClock(reply.host, reply.clock),
    ...judgeOwnClock(reply.here),
    ...judgeHost(reply.host, reply.facts, own),
  ];
}

const nextOf = (code: string): string => (isErrorCode(code) ? errors[code].next : '');

/** Only said when it is off: it would be said for every host. */
const judgeOwnClock = (here: Parameters<typeof offsetMs>[0]): Finding[] => {
  // The other way round: what was read between two looks at our clock is the server's.
  const { level } = judgeClock('here', here);
  if (level === 'ok') return [];
  const seconds = Math.round(Math.abs(offsetMs(here)) / 1000);
  const found = `the clock of Temporal is at least ${seconds} s ${offsetMs(here) > 0 ? 'ahead of' : 'behind'} the one here`;
  const next = 'Set both clocks (chrony, systemd-timesyncd)';
  const tell = about('here');
  return [level === 'blocking' ? tell.blocking('clock', found, next) : tell.warning('clock', found, next)];
};
