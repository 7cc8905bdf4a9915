import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';

/** Files of one party, PEM. */
export interface Certificate {
  certificate: string;
  key: string;
}

export interface Authority {
  folder: string;
  certificate: string;
  server: Certificate;
  client(name: string): Certificate;
}

const script = join(repositoryRoot, 'deploy/temporal/certificates.sh');

/** Made by the script that we ship, in a folder of a name with a space. */
export function makeAuthority(purpose: string): Authority {
  const folder = join(temporaryFolder(purpose), 'the certificates');
  const files = (name: string): Certificate => ({
    certificate: join(folder, `${name}.pem`),
    key: join(folder, `${name}-key.pem`),
  });
  const make = (kind: string, ...names: string[]) =>
    void execFileSync('sh', [script, folder, kind, ...names], { stdio: ['ignore', 'ignore', 'inherit'] });
  make('server', 'localhost', '127.0.0.1');
  return {
    folder,
    certificate: files('ca').certificate,
    server: files('server'),
    client(name) {
      make('client', name);
      return files(name);
    },
  };
}

/** The variables that the SDK, the Temporal CLI and Holdfast read. */
export const tlsEnvironment = (authority: Authority, client?: Certificate): Record<string, string> => ({
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: authority.certificate,
  ...(client && {
    TEMPORAL_TLS_CLIENT_CERT_PATH: client.certificate,
    TEMPORAL_TLS_CLIENT_KEY_PATH: client.key,
  }),
});
