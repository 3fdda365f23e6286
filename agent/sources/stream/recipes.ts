/** Servers whose own programs write a dump and take it back: labels to begin with, as docs/stream.md has them. */
import type {KnownServer} from '../recognise.ts';

const shell = (script: string): string => JSON.stringify(['sh', '-c', script]);

const mongo = (program: string): string =>
	shell(
		`[ -z "$MONGO_INITDB_ROOT_USERNAME" ] || set -- --username="$MONGO_INITDB_ROOT_USERNAME" --password="$MONGO_INITDB_ROOT_PASSWORD" --authenticationDatabase=admin; exec ${program} "$@"`,
	);

export const servers: readonly KnownServer[] = [
	{
		title: 'MongoDB',
		image: /(?:^|\/)(?:mongo|mongodb|mongodb-community-server|percona-server-mongodb)$/,
		processes: ['mongod'],
		port: 27_017,
		labels: {
			'stream.mongo': mongo('mongodump --archive'),
			'stream.mongo.restore': mongo('mongorestore --archive --drop'),
			volumes: 'false',
		},
		isSure: false,
	},
	{
		title: 'InfluxDB',
		image: /(?:^|\/)influxdb$/,
		processes: ['influxd'],
		port: 8086,
		labels: {
			'stream.influx': shell('d=$(mktemp -d) && influxd backup -portable "$d" >&2 && tar -C "$d" -c .; code=$?; rm -rf "$d"; exit $code'),
			'stream.influx.check': shell(`tar -t | grep -q '[.]manifest$'`),
			'stream.influx.restore': shell(
				`set -e; d=$(mktemp -d); trap 'rm -rf "$d"' EXIT; tar -C "$d" -x; influx -format csv -execute 'show databases' | tail -n +2 | cut -d, -f2 | grep -vx _internal | while read -r name; do influx -execute "drop database \\"$name\\""; done; influxd restore -portable "$d" >&2`,
			),
			volumes: 'false',
		},
		isSure: false,
	},
	{
		title: 'OpenLDAP',
		image: /(?:^|\/)(?:openldap|slapd|docker-openldap)$/,
		processes: ['slapd'],
		port: 389,
		labels: {'stream.directory': 'slapcat -n 1', 'stream.directory.check': '["grep", "-q", "^entryUUID: "]', volumes: 'false'},
		isSure: false,
	},
];
