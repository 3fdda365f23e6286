/** The server's own process in its container: who runs it, and what it says of itself. */
import {basename, dirname} from 'node:path/posix';
import {output, type Place} from '../../../base/command.ts';
import type {Engine} from '../../../docker/engine.ts';
import {readText} from './read-text.ts';

export interface ServerProcess {
	/** In the container. 1 where it could not be seen: the container's first process has the same root. */
	pid: number;
	uid: string;
	gid: string;
	/** Where its programs are, beside its own. */
	programs: string | undefined;
	dataFolder: string | undefined;
	port: number | undefined;
	/** A folder with its socket, or the address where it has none. */
	host: string | undefined;
	/** The data directory, and where its WAL and its tablespaces are, by their own paths. Empty where they could not be looked at. */
	folders: readonly string[];
	/** A password file that its user has. */
	passwordFile: string | undefined;
}

/**
 * Finds postgres processes and says who they run as: pid, uid, gid, whether it is in this container's control group, and its arguments. The
 * container's first process may be an init or a supervisor; with the host's pid namespace, those of every other container are seen too.
 */
const find = `read -r own </proc/self/cgroup
for process in /proc/[0-9]*; do
	name= uid= gid= group=
	read -r name <"$process/comm"
	case $name in postgres|postmaster|.postgres-wrapp*) ;; *) continue ;; esac
	while read -r key value _; do case $key in Uid:) uid=$value;; Gid:) gid=$value;; esac; done <"$process/status"
	read -r group <"$process/cgroup"
	[ "$group" = "$own" ] && own_group=1 || own_group=0
	[ -z "$gid" ] || echo "\${process#/proc/} $uid $gid $own_group $(tr '\\0\\n' '\\n ' <"$process/cmdline" | tr '\\n' '\\037')"
done 2>/dev/null`;

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
	const {exitCode, stdout} = await output(place, {argv: ['sh', '-c', find], user: '0', signal});
	if (exitCode === 126 || exitCode === 127) {
		return withoutShell(engine, container);
	}

	const found = oldest(stdout);
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
		uid,
		gid,
		programs: program === '' ? programsIn(argv) : dirname(program),
		folders,
		passwordFile: passwordFile || undefined,
		...said(argv, folder, lock),
	};
}

interface Found {
	pid: number;
	uid: string;
	gid: string;
	argv: readonly string[];
}

/** The process with the lowest pid is the parent of the others. */
function oldest(found: string): Found | undefined {
	const servers = found.split('\n').flatMap(line => {
		const [, pid = '', uid = '', gid = '', own, argv = ''] = /^(\d+) (\d+) (\d+) ([01]) (.*)$/.exec(line) ?? [];
		return pid === '' ? [] : [{pid: Number(pid), uid, gid, isOwn: own === '1', argv: argv.split('\u001f')}];
	});
	const own = servers.filter(({isOwn}) => isOwn);
	return (own.length > 0 ? own : servers).sort((a, b) => a.pid - b.pid)[0];
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
	return {pid: 1, uid, gid, programs: programsIn(argv), folders: [], passwordFile: undefined, ...said(argv, folder, lock.split('\n'))};
}

const programsIn = ([program = '']: readonly string[]): string | undefined => (program.startsWith('/') ? dirname(program) : undefined);

/** The file that it writes when it starts knows best (https://www.postgresql.org/docs/current/storage-file-layout.html); then its arguments. @param lock lines of `postmaster.pid` */
export function said(
	argv: readonly string[],
	folder: string,
	lock: readonly string[],
): Pick<ServerProcess, 'dataFolder' | 'port' | 'host'> {
	const [, dataFolder = '', , port = '', socket = '', address = ''] = lock;
	const listed = (text: string | undefined) => text?.split(',')[0]?.trim() || undefined;
	const number = Number(port || settingIn(argv, 'p', 'port'));
	return {
		dataFolder: folder || dataFolder || settingIn(argv, 'D', 'data_directory'),
		port: Number.isInteger(number) && number > 0 ? number : undefined,
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
