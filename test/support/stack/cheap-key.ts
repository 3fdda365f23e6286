/**
 * Makes a restic repository quick to open. By design a key costs half a second of a processor and 64 MiB for each call of restic, which is most
 * of the work of a test with hundreds of calls. The same master key, wrapped again with the same password and a derivation that costs nothing,
 * opens the same repository.
 */
import {createHash} from 'node:crypto';
import {derive, seal, unseal} from '../../../agent/restic/sealing.ts';
import {type DockerOptions, docker} from '../docker.ts';

interface Wrapped {
	N: number;
	r: number;
	p: number;
	salt: string;
	data: string;
}

const deriveFor = async (password: string, {N, r, p, salt}: Wrapped) => derive(password, {N, r, p, salt: Buffer.from(salt, 'base64')});

/** The master key, as JSON. @throws when the password is not that of the key */
async function masterOf(wrapped: Wrapped, password: string): Promise<Buffer> {
	const master = unseal(await deriveFor(password, wrapped), Buffer.from(wrapped.data, 'base64'));
	if (master === undefined) {
		throw new Error("this password is not the key's");
	}

	return master;
}

/** @throws when the password is not that of the key */
export async function rewrap(file: string, password: string): Promise<string> {
	const wrapped = JSON.parse(file) as Wrapped;
	const cheap = {...wrapped, N: 2, r: 1, p: 1};
	const data = seal(await deriveFor(password, cheap), await masterOf(wrapped, password));
	return JSON.stringify({...cheap, data: data.toString('base64')});
}

/** Files as they lie in a repository: what is given is sealed with its master key, uncompressed. `name` is the file's name. */
export async function sealing(keyFile: string, password: string): Promise<(content: string) => {name: string; file: Buffer}> {
	const opened = JSON.parse((await masterOf(JSON.parse(keyFile), password)).toString()) as {
		mac: {k: string; r: string};
		encrypt: string;
	};
	const master = {
		encrypt: Buffer.from(opened.encrypt, 'base64'),
		mac: {k: Buffer.from(opened.mac.k, 'base64'), r: Buffer.from(opened.mac.r, 'base64')},
	};
	return content => {
		const file = seal(master, Buffer.from(content));
		return {name: createHash('sha256').update(file).digest('hex'), file};
	};
}

/** The embedded repository of a running Holdfast container. One that has another password is left. */
export async function makeKeyCheap(container: string, options: DockerOptions = {}): Promise<void> {
	const inContainer = async (script: string, input?: string) =>
		docker(['exec', '--interactive', container, 'sh', '-c', script], input === undefined ? options : {...options, input});
	if ((await inContainer('test ! -e /state/repository-password || test ! -e /repository/config || echo embedded')) !== 'embedded') {
		return;
	}

	// Holdfast makes one by itself, beside restic's own: a plain restic would take either
	const old = (await inContainer('cd /repository/keys && ls | grep -xE "[0-9a-f]{64}"')).split('\n');
	const keys = await Promise.all(old.map(async id => ({id, file: await inContainer(`cat /repository/keys/${id}`)})));
	const [first = {id: '', file: ''}] = keys;
	const quick = keys.find(({file}) => (JSON.parse(file) as Wrapped).N === 2);
	const key = quick?.file ?? (await rewrap(first.file, (await inContainer('cat /state/repository-password')).trim()));
	const name = quick?.id ?? createHash('sha256').update(key).digest('hex');
	const others = old.filter(id => id !== name).map(id => `/repository/keys/${id}`);
	await inContainer(
		`cat >/tmp/key && { test -e /repository/keys/${name} || install -m 400 /tmp/key /repository/keys/${name}; } && rm -f /tmp/key ${others.join(' ')}`,
		key,
	);
}
