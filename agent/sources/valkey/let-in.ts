/** Into a server by its client program: the ways that lead to it, and who is known there. */
import type {Place} from '../../../base/command.ts';
import {explain, RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';
import type {ContainerDetails} from '../../../docker/details.ts';
import {secretOf} from '../secret.ts';
import type {ServerFound} from '../server-process.ts';
import {type Client, openClient, ValkeyRefusal} from './client.ts';
import type {Access} from './labels.ts';
import type {Settings} from './settings.ts';
import {loginsOf} from './who.ts';

interface LetIn {
	place: Place;
	found: ServerFound;
	details: Pick<ContainerDetails, 'env'>;
	settings: Settings;
	access: Access;
	/** The client's. */
	program: string;
	container: string;
	/** The user and the PATH that it runs with. */
	own: string;
	PATH: string;
	/** A file of the container. */
	read: (path: string) => Promise<string>;
	answerMs: number;
	signal: AbortSignal | undefined;
}

/** @returns a client that may ask @throws with what each way said */
export async function letIn(options: LetIn): Promise<Client> {
	const {place, found, settings, details, access, read, own, PATH, program, container, answerMs, signal} = options;
	const failures: unknown[] = [];
	for (const address of addressesOf(found, settings)) {
		let client: Client | undefined;
		try {
			client = await openClient(place, {argv: [program, ...address], env: {PATH}, user: own, answerMs, signal});
			const open = client;
			const refused = access.user === undefined && access.secret === undefined ? await isRefused(open) : 'no password';
			if (refused !== undefined) {
				const password =
					access.secret === undefined
						? undefined
						: await secretOf({secret: access.secret, project: access.project}, 'valkey.password-secret');
				await introduce(open, await loginsOf({env: details.env, settings, read, wanted: {user: access.user, password}}), container);
			}

			return client;
		} catch (error) {
			await client?.close();
			signal?.throwIfAborted();
			failures.push(error);
			if (error instanceof NobodyKnownError) {
				break;
			}
		}
	}

	throw failures.length === 1 || failures.at(-1) instanceof NobodyKnownError
		? failures.at(-1)
		: new RunError(`the server in container \`${container}\` does not answer: ${failures.map(explain).join('; ')}`);
}

/** What it says instead of an answer, where it wants to know who asks. */
async function isRefused(client: Client): Promise<string | undefined> {
	try {
		await client.ask(['PING']);
		return undefined;
	} catch (error) {
		if (error instanceof ValkeyRefusal) {
			return error.code === 'NOAUTH' ? error.said : undefined;
		}

		throw error;
	}
}

/** The server answers, and lets in nobody whom Holdfast knows: another way to it changes nothing. */
class NobodyKnownError extends RunError {}

async function introduce(client: Client, {logins, unread}: Awaited<ReturnType<typeof loginsOf>>, container: string): Promise<void> {
	for (const {user, password} of logins) {
		try {
			await client.login(user, password);
			return;
		} catch (error) {
			if (!(error instanceof ValkeyRefusal)) {
				throw error;
			}

			// There is none to know.
			if (error.said.includes('without any password configured')) {
				return;
			}
		}
	}

	const tried = logins.length === 0 ? 'it knows no password' : `none of the ${logins.length} passwords that it knows is right`;
	throw new NobodyKnownError(`the server in container \`${container}\` does not let Holdfast in: ${[tried, ...unread].join('; ')}`, {
		hint: `say who saves: \`${label('valkey.user')}\`, \`${label('valkey.password-secret')}\``,
	});
}

/** Arguments of the client program: the ways that may lead to the server, the likeliest first. */
export function addressesOf({argv}: Pick<ServerFound, 'argv'>, settings: Pick<Settings, 'value'>): string[][] {
	// The server calls itself after what it listens on: `valkey-server *:6379`, `redis-server /run/redis.sock`.
	const title = / ([^ ]+):(\d+)(?: |$)/.exec(argv.join(' '));
	const socket = settings.value('unixsocket') ?? /-server (\/\S+\.sock\S*)/.exec(argv.join(' '))?.[1];
	const port = title?.[2] ?? settings.value('port') ?? '6379';
	const host = title?.[1] === undefined || ['*', '0.0.0.0', '::', '-::*'].includes(title[1]) ? '127.0.0.1' : title[1];
	const plain = ['-h', host, '-p', port];
	const tlsPort = settings.value('tls-port');
	const named = (option: string, name: string): string[] => {
		const path = settings.value(name) || settings.value(name.replace('-client', ''));
		return path ? [option, path] : [];
	};
	const encrypted = [
		...['-h', host, '-p', tlsPort ?? port, '--tls', '--insecure'],
		...named('--cert', 'tls-client-cert-file'),
		...named('--key', 'tls-client-key-file'),
	];
	const isEncrypted = tlsPort !== undefined && tlsPort !== '0' && (settings.value('port') === '0' || tlsPort === port);
	return [...(socket === undefined || socket === '' ? [] : [['-s', socket]]), ...(isEncrypted ? [encrypted, plain] : [plain, encrypted])];
}
