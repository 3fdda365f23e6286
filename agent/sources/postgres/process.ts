/** The server's own process in its container: who runs it, and what it says of itself. */
import {basename, dirname} from 'node:path/posix';
import {output, type Place} from '../../../base/command.ts';
import type {Engine} from '../../../docker/engine.ts';
import {readText} from '../read-text.ts';
import {findServer} from '../server-process.ts';

export interface ServerProcess {
	/** In the container. 1 where it could not be seen: the container's first process has the same root. */
	pid: number;
	/** The container has one. */
	hasShell: boolean;
	uid: string;
	gid: string;
	/** Where its programs are, beside its own. */
	programs: string | undefined;
	dataFolder: string | undefined;
	port: number | undefined;
	/** A folder with its socket, or the address where it has none. */
	host: string | undefined;
	/** Where it listens beside its socket. */
	address: string | undefined;
	/** The data directory, and where its WAL and its tablespaces are, by their own paths. Empty where they could not be looked at. */
	folders: readonly string[];
	/** A password file that its user has. */
	passwordFile: string | undefined;
}

/** As the kernel calls its programs; the last one is Nix's. */
const names = ['postgres', 'postmaster', '.postgres-wrapp'];

/** In the data directory: its own path, and where what lies in it by links alone really is. */
export const linked = 'pwd -P && for link in pg_wal pg_xlog pg_tblspc/*; do [ ! -L "$link" ] || readlink -f "$link"; done';

/** `sh -c SCRIPT sh PID`, as the server's user, who may look at it: its program, its folder, a password file, its folders, and what it wrote about itself. */
const look = `readlink "/proc/$1/exe" || echo
readlink "/proc/$1/cwd" || echo
file=\${PGPASSFILE:-$HOME/.pgpass}
[ -r "$file" ] && echo "$file" || echo
(cd "/proc/$1/cwd/" && ${linked})
echo
cat "/proc/$1/cwd/postmaster.pid"`;

/** Undefined: none runs. */
export async function findProcess(
	engine: Engine,
	container: string,
	place: Place,
	signal?: AbortSignal,
): Promise<ServerProcess | undefined> {
	const found = await findServer(place, names, signal);
	if (found === 'no shell') {
		return withoutShell(engine, container);
	}

	if (found === undefined) {
		return undefined;
	}

	const {pid, uid, gid, argv} = found;
	const {stdout: seen} = await output(place, {argv: ['sh', '-c', look, 'sh', String(pid)], user: `${uid}:${gid}`, signal});
	const [program = '', folder = '', passwordFile = '', ...further] = seen.split('\n');
	const end = further.indexOf('');
	const [folders, lock] = [further.slice(0, Math.max(end, 0)), further.slice(end + 1)];
	return {
		pid,
		hasShell: true,
		uid,
		gid,
		programs: program === '' ? programsIn(argv) : dirname(program),
		folders,
		passwordFile: passwordFile || undefined,
		...said(argv, folder, lock),
	};
}

/** What the engine's host sees of it: the container has no shell that could look. */
async function withoutShell(engine: Engine, container: string): Promise<ServerProcess | undefined> {
	const processes = await engine.top(container);
	const server = processes.find(({argv}) => ['postgres', 'postmaster'].includes(basename(argv[0] ?? '')));
	if (server === undefined) {
		return undefined;
	}

	const {uid, gid, argv} = server;
	const {env} = await engine.inspect(container);
	const folder = settingIn(argv, 'D', 'data_directory') ?? env.PGDATA ?? '';
	const lock = await readText(engine, container, `${folder}/postmaster.pid`).catch(() => '');
	return {
		pid: 1,
		hasShell: false,
		uid,
		gid,
		programs: programsIn(argv),
		folders: [],
		passwordFile: undefined,
		...said(argv, folder, lock.split('\n')),
	};
}

const programsIn = ([program = '']: readonly string[]): string | undefined => (program.startsWith('/') ? dirname(program) : undefined);

/** The file that it writes when it starts knows best (https://www.postgresql.org/docs/current/storage-file-layout.html); then its arguments. @param lock lines of `postmaster.pid` */
export function said(
	argv: readonly string[],
	folder: string,
	lock: readonly string[],
): Pick<ServerProcess, 'dataFolder' | 'port' | 'host' | 'address'> {
	const [, dataFolder = '', , port = '', socket = '', address = ''] = lock;
	const listed = (text: string | undefined) => text?.split(',')[0]?.trim() || undefined;
	const number = Number(port || settingIn(argv, 'p', 'port'));
	return {
		dataFolder: folder || dataFolder || settingIn(argv, 'D', 'data_directory'),
		port: Number.isInteger(number) && number > 0 ? number : undefined,
		address: socket === '' ? undefined : localAddress(address),
		host: socket || (port === '' ? listed(settingIn(argv, 'k', 'unix_socket_directories')) : localAddress(address)),
	};
}

const localAddress = (address: string): string | undefined =>
	({'': undefined, '*': '127.0.0.1', '0.0.0.0': '127.0.0.1', '::': '::1'})[address] ?? (address || undefined);

/** The last of `-p 1`, `-p1`, `-c port=1`, `-cport=1`, `--port=1` counts. */
function settingIn(argv: readonly string[], letter: string, name: string): string | undefined {
	let value: string | undefined;
	for (const [index, argument] of argv.entries()) {
		const [, given] =
			new RegExp(`^(?:-c ?|--)${name.replaceAll('_', '[-_]')}=(.*)$`).exec(argument) ??
			(argv[index - 1] === '-c' ? new RegExp(`^${name.replaceAll('_', '[-_]')}=(.*)$`).exec(argument) : null) ??
			new RegExp(`^-${letter}(.+)$`).exec(argument) ??
			(argv[index - 1] === `-${letter}` ? [argument, argument] : []);
		value = given ?? value;
	}

	return value;
}
