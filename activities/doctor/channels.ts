import { senderOf } from '../../config/lookup.js';
import type { ChannelConfig, Config } from '../../config/schema.js';
import type { ChannelFacts } from '../../contracts/doctor.js';
import type { Host } from '../../system/host.js';
import type { SecretPlace } from '../../system/secrets.js';
import { lookAtSecret } from './secrets.js';

/** Whether this host has what it needs to send through its channels. Nothing is sent: that is for "holdfast notify". */
export function lookAtChannels(host: Host, config: Config): Promise<ChannelFacts[]> {
  const ours = Object.entries(config.notifications ?? {}).filter(
    ([, channel]) => senderOf(config, channel) === host.name,
  );
  return Promise.all(ours.map(([name, channel]) => lookAtChannel(host, name, channel)));
}

async function lookAtChannel(host: Host, name: string, channel: ChannelConfig): Promise<ChannelFacts> {
  const [program] = channel.command ?? [];
  const isMissing = program !== undefined && (await host.findProgram(program)) === undefined;
  return {
    channel: name,
    secrets: await Promise.all(secretsOf(channel).map(([of, place]) => lookAtSecret(host, of, place))),
    ...(isMissing && { missingProgram: program }),
  };
}

/** Addresses and headers may be written out; only what is a reference can be missing. */
function secretsOf({ ntfy, mail, webhook }: ChannelConfig): [of: string, place: SecretPlace][] {
  const values: [string, string | SecretPlace | undefined][] = [
    ['url', ntfy?.url ?? webhook?.url],
    ['token', ntfy?.token],
    ['password', mail?.smtp.password],
    ...Object.entries(webhook?.headers ?? {}),
  ];
  return values.flatMap(([of, value]) =>
    value === undefined || typeof value === 'string' ? [] : [[of, value] as [string, SecretPlace]],
  );
}
