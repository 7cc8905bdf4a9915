import { Client, Connection } from '@temporalio/client';
import { loadClientConfigProfile, toClientOptions } from '@temporalio/envconfig';
import type { Config } from '../config/schema.js';
import { HoldfastError } from '../contracts/errors.js';

/** Where Temporal is and how to speak to it: what the client and the workers' own connections are made from. */
export type ConnectionSettings = ReturnType<typeof resolveConnection>;

const connectTimeoutMs = 3000;

/**
 * One place decides between the configuration, the SDK's environment (TEMPORAL_*, profiles of the Temporal CLI) and the
 * embedded server, so that command line and workers never speak to different servers.
 */
export function resolveConnection(config: Config) {
  const { address, tls, apiKey, metadata } = environmentOptions();
  return {
    address: config.temporal.address ?? address ?? `127.0.0.1:${config.temporal.embedded.port}`,
    namespace: process.env.TEMPORAL_NAMESPACE || config.temporal.namespace,
    tls,
    apiKey: typeof apiKey === 'string' ? apiKey : undefined,
    metadata,
  };
}

/** A client that is really connected, or the error that tells the operator which address does not answer. */
export async function connectClient(config: Config): Promise<{ client: Client; connection: Connection }> {
  const { address, namespace, tls, apiKey, metadata } = resolveConnection(config);
  try {
    const connection = await Connection.connect({
      address,
      tls,
      connectTimeout: connectTimeoutMs,
      ...(apiKey && { apiKey }),
      ...(metadata && { metadata }),
    });
    return { client: new Client({ connection, namespace }), connection };
  } catch (error) {
    throw new HoldfastError(
      'HF_TEMPORAL_UNREACHABLE',
      // The SDK answers "deadline" for everything: no server, a refused certificate, TLS on one side only.
      `Temporal does not answer at ${address}${tls ? ' (asked with TLS: a certificate that one side refuses looks the same as no server)' : ''}`,
      { address },
      { cause: error },
    );
  }
}

/** A broken profile file or certificate path is a mistake of the operator's configuration, not of ours. */
function environmentOptions() {
  try {
    // The second step is the one that reads the certificates.
    return toClientOptions(loadClientConfigProfile()).connectionOptions;
  } catch (error) {
    // Only the first line: a parser quotes the lines around the mistake, and one of them may hold an API key.
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new HoldfastError(
      'HF_CONFIG_INVALID',
      `The Temporal environment (TEMPORAL_* variables or its profile file) cannot be used: ${reason.slice(0, 160)}`,
    );
  }
}
