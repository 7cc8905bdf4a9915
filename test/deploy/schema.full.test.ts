import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { clusterPath, postgresPath } from '../../lab/places.js';
import { needs } from '../support/needs.js';
import { bringSchema } from './cluster.js';
import { type Postgres, startPostgres } from './postgres.js';

/** What the schemas of Temporal 1.29 were. */
const older = { temporal: '1.18', temporal_visibility: '1.9' };
const names: Record<string, string> = { temporal: 'temporal', temporal_visibility: 'visibility' };

function tool({ port, user, password }: Postgres, ...args: string[]): void {
  const SQL = { SQL_HOST: '127.0.0.1', SQL_PORT: `${port}`, SQL_USER: user, SQL_PASSWORD: password };
  execFileSync(join(dirname(clusterPath() ?? ''), 'temporal-sql-tool'), args, {
    env: { SQL_PLUGIN: 'postgres12_pgx', ...SQL },
    stdio: 'ignore',
  });
}

function ask({ port, user, password }: Postgres, database: string, query: string): string {
  const where = ['--host', '127.0.0.1', '--port', `${port}`, '--username', user, '--dbname', database];
  return execFileSync(
    join(postgresPath() ?? '', 'psql'),
    [...where, '--tuples-only', '--no-align', '-c', query],
    {
      encoding: 'utf8',
      env: { PGPASSWORD: password },
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  ).trim();
}

test('the schema script brings the databases of an older version to the present one, and keeps what is in them', {
  skip: needs('postgres', 'cluster'),
}, async () => {
  const postgres = await startPostgres();
  const version = (database: string) =>
    ask(postgres, database, 'select curr_version from schema_version where version_partition = 0');
  try {
    for (const [database, target] of Object.entries(older)) {
      tool(postgres, '--database', database, 'create-database');
      tool(postgres, '--database', database, 'setup-schema', '--version', '0.0');
      const schema = ['--schema-name', `postgresql/v12/${names[database]}`, '--version', target];
      tool(postgres, '--database', database, 'update-schema', ...schema);
      assert.equal(version(database), target);
    }
    ask(
      postgres,
      'temporal',
      `insert into namespaces (partition_id, id, name, notification_version, data, data_encoding, is_global)
       values (54321, decode(repeat('0a', 16), 'hex'), 'kept', 1, '', 'none', false)`,
    );
    await bringSchema(postgres);
    for (const [database, target] of Object.entries(older)) {
      const [, minor] = version(database).split('.').map(Number);
      assert.ok(Number(minor) > Number(target.split('.')[1]), `${database} is at ${version(database)}`);
    }
    assert.equal(ask(postgres, 'temporal', "select count(*) from namespaces where name = 'kept'"), '1');
  } finally {
    await postgres.stop();
  }
});
