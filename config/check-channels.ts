import { workerHosts } from './lookup.js';
import { type Finding, type KeyPath, unknownName } from './mistakes.js';
import type { ChannelConfig, Config } from './schema.js';

/** Whether a message could go out through each channel, and is about anything. Pure. */

interface Checked {
  mistakes: Finding[];
  warnings: Finding[];
}

export function checkChannels(
  config: Config,
  names: { hosts: readonly string[]; jobs: readonly string[] },
  checked: Checked,
): void {
  for (const [name, channel] of Object.entries(config.notifications ?? {})) {
    const path = ['notifications', name];
    checkSender(config, names.hosts, channel, path, checked);
    for (const [at, job] of (channel.jobs ?? []).entries())
      if (!names.jobs.includes(job))
        checked.mistakes.push({ path: [...path, 'jobs', at], message: unknownName('job', job, names.jobs) });
    checkSecrets(channel, path, checked);
  }
}

/** A message is sent by a worker, and which one must be known before anything fails. */
function checkSender(
  config: Config,
  hosts: readonly string[],
  { host }: ChannelConfig,
  path: KeyPath,
  { mistakes }: Checked,
): void {
  const able = workerHosts(config);
  if (host === undefined) {
    if (able.length <= 1) return;
    const message = `needs a "host": several have a worker of their own (${able.join(', ')}), and one of them sends`;
    mistakes.push({ path, atKey: true, message });
    return;
  }
  const place = [...path, 'host'];
  if (!hosts.includes(host)) mistakes.push({ path: place, message: unknownName('host', host, hosts) });
  const driver = Object.hasOwn(config.hosts, host) ? config.hosts[host]?.ssh?.via : undefined;
  if (driver === undefined) return;
  const message = `"${host}" has no worker of its own, it is driven by "${driver}"; name a host with a worker`;
  mistakes.push({ path: place, message });
}

const carriesCredentials = /^(authorization|cookie|.*(token|secret|key|password).*)$/i;

function checkSecrets({ mail, webhook }: ChannelConfig, path: KeyPath, checked: Checked): void {
  for (const [name, value] of Object.entries(webhook?.headers ?? {})) {
    if (typeof value !== 'string' || !carriesCredentials.test(name)) continue;
    const message =
      'looks like a secret in plain text; use { file: /path }, { env: NAME } or { command: [...] }';
    checked.warnings.push({ path: [...path, 'webhook', 'headers', name], atKey: true, message });
  }
  const smtp = mail?.smtp;
  if ((smtp?.user === undefined) !== (smtp?.password === undefined)) {
    const place = [...path, 'mail', 'smtp'];
    checked.mistakes.push({
      path: place,
      atKey: true,
      message: 'needs both "user" and "password", or neither',
    });
  }
  if (smtp?.tls === 'none' && smtp.password !== undefined) {
    const message = 'sends the password readable: "starttls" or "implicit" hides it';
    checked.warnings.push({ path: [...path, 'mail', 'smtp', 'tls'], message });
  }
}
