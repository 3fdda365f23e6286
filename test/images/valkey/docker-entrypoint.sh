#!/bin/sh
# Behaves like the official images' entry scripts in what applications and Holdfast can see: options and configuration files make a server, root
# becomes its user, VALKEY_EXTRA_FLAGS, and no protected mode.
set -e

if [ "$1" = server ]; then shift; set -- "$FLAVOUR-server" "$@"; fi
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then set -- "$FLAVOUR-server" "$@"; fi

if [ "$1" = "$FLAVOUR-server" ] && [ "$(id -u)" = 0 ]; then
	find . \! -user "$FLAVOUR" -exec chown "$FLAVOUR" '{}' +
	exec setpriv --reuid="$FLAVOUR" --regid="$FLAVOUR" --clear-groups -- "$0" "$@"
fi

if [ "$(umask)" = 0022 ]; then umask 0077; fi
if [ "$1" = "$FLAVOUR-server" ]; then
	# shellcheck disable=SC2086
	exec "$@" --protected-mode no ${VALKEY_EXTRA_FLAGS:-}
fi
exec "$@"
