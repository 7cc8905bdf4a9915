import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { repositoryRoot } from '../support/root.js';

/** What the tests read of a compose file. */
export interface Compose {
  services: Record<string, Service>;
  volumes?: Record<string, unknown>;
}

export interface Service {
  image?: string;
  restart?: string;
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: (string | { type: string; source: string; target: string })[];
  depends_on?: Record<string, { condition: string }>;
  entrypoint?: string[];
  healthcheck?: { test: string[] };
  build?: { target: string };
  stop_grace_period?: string;
}

export const read = (...path: string[]): string => readFileSync(join(repositoryRoot, ...path), 'utf8');

export const compose = (): Compose => parse(read('docker-compose.yml')) as Compose;
export const composeForTls = (): Compose => parse(read('deploy/docker-compose.mtls.yml')) as Compose;

/** The variables of a service, with those of the TLS file on top, as `docker compose -f … -f …` merges them. */
export function environmentOf(service: string, options: { tls: boolean }): Record<string, string> {
  const of = ({ services }: Compose) => services[service]?.environment ?? {};
  return { ...of(compose()), ...(options.tls && of(composeForTls())) };
}

/** The same variables where there are no containers: what is mounted there lies here. */
export const inPlace = (
  environment: Readonly<Record<string, string>>,
  certificates: string,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value
        .replace(/^\/deploy\//, `${join(repositoryRoot, 'deploy/temporal')}/`)
        .replace(/^\/tls\//, `${certificates}/`),
    ]),
  );
