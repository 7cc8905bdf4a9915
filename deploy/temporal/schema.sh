#!/bin/sh
# Makes both databases, or brings them to the schema of this image's version. Run it again as often as you like:
# it is also the first half of an upgrade, before the new server starts.
set -eu

: "${SQL_HOST:?where PostgreSQL is}"
: "${SQL_USER:?who makes the databases}"
: "${SQL_PASSWORD:?the password of that user}"
case $SQL_PASSWORD in
  *[!A-Za-z0-9]*)
    # Temporal puts it into an address and escapes it wrongly there (seen with a space): "password authentication failed".
    echo 'schema: POSTGRES_PASSWORD may hold letters and digits only; make one with: openssl rand -hex 24' >&2
    exit 2
    ;;
esac
export SQL_PLUGIN="${SQL_PLUGIN:-postgres12_pgx}"
export SQL_PORT="${SQL_PORT:-5432}"

bring() {
  database=$1
  schema=$2
  echo "schema: $database"
  temporal-sql-tool --database "$database" create-database
  temporal-sql-tool --database "$database" setup-schema --version 0.0
  # The schemas are inside of the tool, so tool and schema are always of one version.
  temporal-sql-tool --database "$database" update-schema --schema-name "$schema"
}

bring temporal postgresql/v12/temporal
bring temporal_visibility postgresql/v12/visibility
echo 'schema: both databases are ready'
