#!/bin/bash
# Behaves like the official image's entry script in what applications and Holdfast can see: the same variables, the same defaults for
# authentication, /docker-entrypoint-initdb.d, and a TCP port that opens only when initialisation is over.
set -euo pipefail

# $1 or the content of the file that $1_FILE names; $2 where neither is set
setting() {
	local file="${1}_FILE"
	if [ -n "${!1:-}" ] && [ -n "${!file:-}" ]; then
		echo "error: both $1 and $file are set (but are exclusive)" >&2
		exit 1
	fi
	local value="${!1:-${2:-}}"
	if [ -n "${!file:-}" ]; then
		value="$(< "${!file}")"
	fi
	export "$1=$value"
	unset "$file"
}

create_cluster() {
	setting POSTGRES_PASSWORD
	setting POSTGRES_USER postgres
	setting POSTGRES_DB "$POSTGRES_USER"
	setting POSTGRES_INITDB_ARGS
	: "${POSTGRES_HOST_AUTH_METHOD:=scram-sha-256}"
	if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
		echo 'Error: Database is uninitialized and superuser password is not specified: set POSTGRES_PASSWORD' >&2
		exit 1
	fi

	# Durability is not needed until the server runs: a cluster that was not finished is never used
	eval 'initdb --no-sync --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") '"$POSTGRES_INITDB_ARGS"
	printf '\nhost all all all %s\n' "$POSTGRES_HOST_AUTH_METHOD" >> "$PGDATA/pg_hba.conf"

	pg_ctl --options="-c listen_addresses='' -p 5432" --wait start
	sql=(psql --set ON_ERROR_STOP=1 --no-password --no-psqlrc --username "$POSTGRES_USER")
	if [ "$POSTGRES_DB" != postgres ]; then
		"${sql[@]}" --dbname postgres --set db="$POSTGRES_DB" <<< 'CREATE DATABASE :"db";'
	fi
	local file
	for file in /docker-entrypoint-initdb.d/*; do
		case "$file" in
			*.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
			*.sql) "${sql[@]}" --dbname "$POSTGRES_DB" --file "$file" ;;
			*.sql.gz) gunzip --stdout "$file" | "${sql[@]}" --dbname "$POSTGRES_DB" ;;
		esac
	done
	pg_ctl --mode=fast --wait stop
	echo 'PostgreSQL init process complete; ready for start up.'
}

if [ "${1:-postgres}" = postgres ] || [ "${1#-}" != "$1" ]; then
	[ "${1#-}" = "${1:-}" ] || set -- postgres "$@"
	if [ "$(id -u)" = 0 ]; then
		mkdir -p "$PGDATA"
		chmod 700 "$PGDATA"
		find "$PGDATA" /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
		export HOME=/var/lib/postgresql
		exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
	fi
	[ -s "$PGDATA/PG_VERSION" ] || create_cluster
fi

exec "$@"
