/** A Valkey or Redis server in a container: asked and told by its own client program, so that the version always matches. */
import {dirname} from 'node:path/posix';
import {type Place, succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';
import type {Container} from '../../../docker/container.ts';
import type {ContainerDetails} from '../../../docker/details.ts';
import type {Engine} from '../../../docker/engine.ts';
import {assertOwnPids, type Enterable, enteringArgv} from '../entering.ts';
import {readFileIn} from '../read-text.ts';
import {type ServerFound, serverInside} from '../server-process.ts';
import {onceLoaded, readInfo, usualAnswerMs, ValkeyRefusal} from './client.ts';
import type {Access} from './labels.ts';
import {letIn} from './let-in.ts';
import {argumentsOf, configFiles, settingsOf} from './settings.ts';

export interface ValkeyServer extends Enterable {
	/** Completes "the server …". */
	where: string;
	/** `Valkey 8.1.1` */
	software: string;
	/** Of the process. */
	uid: string;
	gid: string;
	/** Where it keeps its data, as its container sees it. */
	folder: string;
	/** Names in that folder: of what it saves, of the folder of an append-only file, and of that file itself. */
	files: {saved: string; appended: string; appendedFile: string};
	/** The path of the program that checks what was saved. */
	checker: string;
	/** As root: it must be able to read what is handed to it. */
	other: Place;
	info: (signal?: AbortSignal) => Promise<ReadonlyMap<string, string>>;
	/** @throws {ValkeyRefusal} with the way out */
	tell: (words: readonly [string, ...string[]], signal?: AbortSignal) => Promise<string>;
	/** Of its configuration, as it runs; undefined where it does not say. */
	setting: (name: string) => Promise<string | undefined>;
	close: () => Promise<void>;
}

type Where = Pick<Container, 'id' | 'name'>;

interface Connecting {
	signal?: AbortSignal | undefined;
	/** How long it may still be loading its data. */
	loadingMs?: number;
	/** How long it may take for an answer: longer where it is paused meanwhile. */
	answerMs?: number;
}

const usualLoadingMs = 60_000;

/** The caller closes it. @throws with what is in the way */
export async function connectValkey(
	engine: Engine,
	container: Where,
	access: Access,
	{signal, loadingMs = usualLoadingMs, answerMs = usualAnswerMs}: Connecting = {},
): Promise<ValkeyServer> {
	const {details, place, found} = await serverInside(engine, container, {
		names: ['valkey-server', 'redis-server'],
		title: 'Valkey or Redis',
		label: 'valkey',
		signal,
	});
	if (found.argv.join(' ').includes('[sentinel]')) {
		throw new RunError(`container \`${container.name}\` is a sentinel, which has no data`, {
			hint: `label the container of the server that it watches`,
		});
	}

	const read = async (path: string) => readFileIn(engine, container.id, place, path);
	const own = `${found.uid}:${found.gid}`;
	const PATH = details.env.PATH || defaultPath;
	const {settings, programs, cwd} = await lookInto({place, details, found, container: container.name, read, own, PATH, signal});
	const client = await letIn({
		place,
		found,
		settings,
		details,
		access,
		read,
		own,
		PATH,
		program: programs.client,
		container: container.name,
		answerMs,
		signal,
	});
	try {
		const tell: ValkeyServer['tell'] = async (words, either) =>
			client.ask([settings.command(words[0]), ...words.slice(1)], either ?? signal).catch((error: unknown) => {
				throw error instanceof ValkeyRefusal && /^(?:NOPERM|ERR unknown command)/.test(error.said) ? forbidden(error, words[0]) : error;
			});
		const info: ValkeyServer['info'] = async either => readInfo(await tell(['INFO'], either));
		const setting: ValkeyServer['setting'] = async name => {
			const said = await tell(['CONFIG', 'GET', name]).catch(() => '');
			return said === '' ? settings.value(name) : said.split('\n').slice(1).join('\n');
		};
		const known = await onceLoaded(info, loadingMs, signal);
		const folder = (await setting('dir')) ?? cwd;
		return {
			where: `in container \`${container.name}\``,
			software: `${known.has('valkey_version') ? 'Valkey' : 'Redis'} ${known.get('valkey_version') ?? known.get('redis_version') ?? ''}`,
			uid: found.uid,
			gid: found.gid,
			folder: folder.startsWith('/') ? folder : cwd,
			files: {
				saved: plainName((await setting('dbfilename')) || 'dump.rdb'),
				appended: plainName((await setting('appenddirname')) || 'appendonlydir'),
				appendedFile: plainName((await setting('appendfilename')) || 'appendonly.aof'),
			},
			checker: programs.checker,
			other: async command => place({user: '0', ...command, env: {PATH, ...command.env}, signal: command.signal ?? signal}),
			info,
			tell,
			setting,
			close: client.close,
			isExternal: false,
			assertEnterable: () => assertOwnPids(details),
			fromWorker: (script, scriptArguments, argv) => ({
				argv: enteringArgv({pid: found.pid, user: '0:0'}, script, scriptArguments, argv),
				env: {PATH},
			}),
		};
	} catch (error) {
		await client.close();
		throw error;
	}
}

/** For as long as the work takes. */
export async function withValkey<Value>(
	engine: Engine,
	container: Where,
	{access, ...connecting}: Connecting & {access: Access},
	work: (server: ValkeyServer) => Promise<Value>,
): Promise<Value> {
	const server = await connectValkey(engine, container, access, connecting);
	try {
		return await work(server);
	} finally {
		await server.close();
	}
}

/** The server takes no other. */
function plainName(name: string): string {
	if (name.includes('/') || name === '.' || name === '..') {
		throw new RunError(`\`${name}\` is no name of a file in the server's folder`);
	}

	return name;
}

function forbidden({said}: ValkeyRefusal, command: string): RunError {
	return new RunError(`the server does not let \`${command}\` be said: ${said}`, {
		hint: said.startsWith('NOPERM')
			? 'allow its user `+echo +info +config|get +config|set +bgsave`'
			: `leave \`${command}\` to users by an ACL instead of \`rename-command\`; or take its files while it is stopped: \`${label('volumes')}\` with \`${label('quiesce')}=stop\``,
	});
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** `sh -c SCRIPT sh PID FILE …`: paths of the programs, the server's own folder, and the first of the files that is there, with its name before it. */
const look = `command -v valkey-cli || command -v redis-cli || echo
command -v valkey-check-rdb || command -v redis-check-rdb || echo
readlink "/proc/$1/cwd" || echo
shift
for file; do [ ! -e "$file" ] || { echo "$file"; cat "$file"; break; }; done`;

interface Looked {
	place: Place;
	details: ContainerDetails;
	found: ServerFound;
	container: string;
	read: (path: string) => Promise<string>;
	own: string;
	PATH: string;
	signal: AbortSignal | undefined;
}

async function lookInto({place, details: {argv = [], env}, found, container, read, own, PATH, signal}: Looked) {
	const words = await argumentsOf(argv, {env, read});
	const printed = await succeed(place, {
		argv: ['sh', '-c', look, 'sh', String(found.pid), ...configFiles(words)],
		env: {PATH},
		user: own,
		signal,
	});
	const [client = '', checker = '', cwd = '', file, ...content] = printed.split('\n');
	if (client === '' || checker === '') {
		throw new RunError(
			`container \`${container}\` lacks ${client === '' ? 'the client program `valkey-cli` (or `redis-cli`)' : '`valkey-check-rdb` (or `redis-check-rdb`)'}`,
			{hint: 'use an image that has it, as the official ones do'},
		);
	}

	const main = content.length === 0 && file !== undefined && file !== '' ? await read(file).catch(() => '') : content.join('\n');
	const files = [main];
	const alone = settingsOf(words, files);
	for (const name of ['include', 'aclfile']) {
		const path = alone.value(name);
		if (path !== undefined) {
			files.unshift(await read(path.startsWith('/') ? path : `${dirname(file ?? '/')}/${path}`).catch(() => ''));
		}
	}

	return {settings: settingsOf(words, files), programs: {client, checker}, cwd};
}
