#!/bin/bash
# Behaves like the official image's entry script in what applications and Holdfast can see: the same variables (and as MYSQL_…), the same
# accounts, /docker-entrypoint-initdb.d, and a TCP port that opens only when initialisation is over.
set -euo pipefail

# MARIADB_$1, MYSQL_$1, or the content of the file that either's _FILE names
setting() {
	local prefix file
	for prefix in MARIADB MYSQL; do
		local name="${prefix}_$1" file="${prefix}_$1_FILE"
		if [ -n "${!name:-}" ] && [ -n "${!file:-}" ]; then
			echo "error: both $name and $file are set (but are exclusive)" >&2
			exit 1
		fi
		if [ -n "${!name:-}" ]; then printf '%s' "${!name}"; return; fi
		if [ -n "${!file:-}" ]; then printf '%s' "$(< "${!file}")"; return; fi
	done
}

literal() { local text="${1//\\/\\\\}"; printf "'%s'" "${text//\'/\\\'}"; }

create_server() {
	local root database user password
	root="$(setting ROOT_PASSWORD)" database="$(setting DATABASE)" user="$(setting USER)" password="$(setting PASSWORD)"
	if [ -z "$root" ] && [ -z "${MARIADB_ALLOW_EMPTY_ROOT_PASSWORD:-}${MARIADB_RANDOM_ROOT_PASSWORD:-}" ]; then
		echo 'error: database is uninitialized and password option is not specified: set MARIADB_ROOT_PASSWORD' >&2
		exit 1
	fi
	if [ -n "${MARIADB_RANDOM_ROOT_PASSWORD:-}" ]; then root="$(head -c 24 /dev/urandom | base64)"; echo "GENERATED ROOT PASSWORD: $root"; fi

	mariadb-install-db --datadir=/var/lib/mysql --auth-root-authentication-method=normal --skip-test-db >/dev/null
	mariadbd --skip-networking --socket=/run/mysqld/init.sock &
	local server=$! tries
	sql=(mariadb --no-defaults --protocol=socket --socket=/run/mysqld/init.sock --user=root)
	for tries in {1..300}; do "${sql[@]}" -e 'select 1' >/dev/null 2>&1 && break; sleep 0.1; done
	{
		if [ -n "$database" ]; then echo "CREATE DATABASE IF NOT EXISTS \`${database//\`/\`\`}\`;"; fi
		if [ -n "$user" ]; then
			echo "CREATE USER $(literal "$user")@'%' IDENTIFIED BY $(literal "$password");"
			if [ -n "$database" ]; then local escaped="${database//_/\\_}"; echo "GRANT ALL ON \`${escaped//\`/\`\`}\`.* TO $(literal "$user")@'%';"; fi
		fi
		echo "CREATE USER 'root'@'%' IDENTIFIED BY $(literal "$root"); GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;"
		echo "ALTER USER 'root'@'localhost' IDENTIFIED BY $(literal "$root");"
	} | "${sql[@]}"
	sql+=("--password=$root")
	local file
	for file in /docker-entrypoint-initdb.d/*; do
		case "$file" in
			*.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
			*.sql) "${sql[@]}" ${database:+--database="$database"} <"$file" ;;
		esac
	done
	kill "$server"
	wait "$server"
	touch /var/lib/mysql/.initialised
}

if [ "${1:-mariadbd}" = mariadbd ] || [ "${1#-}" != "$1" ]; then
	[ "${1#-}" = "${1:-}" ] || set -- mariadbd "$@"
	if [ "$(id -u)" = 0 ]; then
		chown -R mysql:mysql /var/lib/mysql /run/mysqld
		exec setpriv --reuid=mysql --regid=mysql --init-groups -- "$0" "$@"
	fi
	if [ ! -e /var/lib/mysql/.initialised ]; then create_server; fi
fi

exec "$@"
