/** A PostgreSQL server outside the target's container: reached over the network, with the client programs of Holdfast's own image. */
import {type Place, succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {secretOf} from '../secret.ts';
import {serverVersion} from './describe.ts';
import {maintenanceIn} from './maintenance.ts';
import type {ExternalServer} from './plan-external.ts';
import {assertNotPooled} from './pooled.ts';
import {connectionArguments, connectionOf, type PostgresServer, queryWith} from './server.ts';

/** A host that does not answer must not hold up the others. */
const connectSeconds = '10';

const defaultRole = 'postgres';

interface Reached {
	role: string | undefined;
	/** What runs the client programs. */
	place: Place;
	/** It is the client worker: psql may get SQL of labels and dumps there, and they may hold more than SQL. */
	isWorker: boolean;
	signal?: AbortSignal | undefined;
}

/**
 * psql obeys commands such as `\!`, and its worker is in the agent's network. As nobody, who may have no process more, it can start nothing
 * (the limit does not hold for root). pg_dumpall must start pg_dump, and neither obeys what it reads.
 */
const alone = [
	...['/usr/bin/setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'],
	...['/bin/sh', '-c', 'ulimit -p 0 && exec "$@"', 'sh'],
] as const;

const confined = (argv: readonly string[]): readonly string[] => (argv[0] === 'psql' ? [...alone, ...argv] : argv);

export async function connectExternal(
	external: ExternalServer,
	{role = defaultRole, place, isWorker, signal}: Reached,
): Promise<PostgresServer> {
	const {host, port} = external;
	const password =
		external.secret === undefined
			? undefined
			: await secretOf({secret: external.secret, project: external.project}, 'postgres.password-secret');
	const env: Record<string, string> = {
		PGHOST: host,
		PGPORT: String(port),
		PGCONNECT_TIMEOUT: connectSeconds,
		// A label names the server: whatever that is, it never gets the password itself.
		PGREQUIREAUTH: '!password',
		PGPASSFILE: '/nonexistent',
		...(password === undefined ? {} : {PGPASSWORD: password}),
	};
	const reached: Place = async command =>
		place({
			...command,
			argv: (isWorker ? confined(command.argv) : command.argv) as typeof command.argv,
			env: {...env, ...command.env},
			signal: command.signal ?? signal,
		});
	const connection = connectionOf(role);
	const where = `at \`${host}:${port}\``;
	const looked = new Map<string, Promise<boolean>>();
	// Before the first program that sets anything.
	const client: Place = async command => {
		const database = command.argv.find(argument => argument.startsWith('--dbname='));
		if (database !== undefined) {
			const look = looked.get(database) ?? assertNotPooled({client: reached, connection: [...connectionArguments(role), database], where});
			looked.set(database, look);
			// What was not seen, or refused, is looked at again: this server is remembered for as long as its container runs.
			const isKnown = await look.catch((error: unknown) => {
				looked.delete(database);
				throw error;
			});
			if (!isKnown) {
				looked.delete(database);
			}
		}

		return reached(command);
	};
	const query = queryWith({client, connection, where});
	return {
		user: role,
		where,
		isExternal: true,
		hasShell: true,
		connection,
		client,
		assertEnterable() {},
		fromWorker: (script, scriptArguments, argv) => ({argv: ['/bin/sh', '-c', script, 'sh', ...scriptArguments, ...confined(argv)], env}),
		async dataFolder() {
			throw new RunError(`the data directory of the server ${where} cannot be seen from here`);
		},
		folders: async () => [],
		query,
		...maintenanceIn(query, [role]),
	};
}

/** pg_dump refuses a server that is newer than itself; a restore needs programs that know the server. No error for a server in a container: it has its own. */
export async function assertClientFits(server: PostgresServer): Promise<void> {
	if (!server.isExternal) {
		return;
	}

	const [{versionNumber, versionText}, tool] = await Promise.all([
		serverVersion(server),
		succeed(server.client, {argv: ['pg_dump', '--version']}),
	]);
	const own = /\(PostgreSQL\) (\d+)\S*/.exec(tool);
	const serverMajor = Math.floor(versionNumber / 10_000);
	if (!(Number(own?.[1]) >= serverMajor)) {
		throw new RunError(
			`the server ${server.where} is PostgreSQL ${versionText}, and Holdfast's own client, which must not be older, is ${own?.[0] ?? tool.trim()}`,
			{hint: 'label the container that the server runs in: then its own programs are used'},
		);
	}
}
