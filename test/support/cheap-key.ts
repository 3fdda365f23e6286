/**
 * Makes a restic repository quick to open. By design a key costs half a second of a processor and 64 MiB for each call of restic, which is most
 * of the work of a test with hundreds of calls. The same master key, wrapped again with the same password and a derivation that costs nothing,
 * opens the same repository.
 */
import {createCipheriv, createHash, randomBytes, scryptSync} from 'node:crypto';
import {type DockerOptions, docker} from './docker.ts';

interface Wrapped {
	N: number;
	r: number;
	p: number;
	salt: string;
	data: string;
}

const prime = 2n ** 130n - 5n;

const littleEndian = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex') || '0'}`);

/** Poly1305-AES, as restic authenticates everything. */
function authenticate(content: Buffer, {k, r}: {k: Buffer; r: Buffer}, nonce: Buffer): Buffer {
	const factor = littleEndian(r) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
	let sum = 0n;
	for (let at = 0; at < content.length; at += 16) {
		const block = content.subarray(at, at + 16);
		sum = ((sum + littleEndian(block) + (1n << BigInt(8 * block.length))) * factor) % prime;
	}

	const cipher = createCipheriv('aes-128-ecb', k, null).setAutoPadding(false);
	const tag = (sum + littleEndian(cipher.update(nonce))) & (2n ** 128n - 1n);
	return Buffer.from(tag.toString(16).padStart(32, '0'), 'hex').reverse();
}

function derive(password: string, {N, r, p, salt}: Wrapped) {
	const key = scryptSync(password, Buffer.from(salt, 'base64'), 64, {N, r, p, maxmem: 1_000_000_000});
	return {encrypt: key.subarray(0, 32), mac: {k: key.subarray(32, 48), r: key.subarray(48, 64)}};
}

const crypt = (key: Buffer, nonce: Buffer, content: Buffer): Buffer => createCipheriv('aes-256-ctr', key, nonce).update(content);

type Key = ReturnType<typeof derive>;

/** @throws when it was not sealed with this key */
function unseal({encrypt, mac}: Key, sealed: Buffer): Buffer {
	const [nonce, content, tag] = [sealed.subarray(0, 16), sealed.subarray(16, -16), sealed.subarray(-16)];
	if (!authenticate(content, mac, nonce).equals(tag)) {
		throw new Error("this password is not the key's");
	}

	return crypt(encrypt, nonce, content);
}

function seal({encrypt, mac}: Key, content: Buffer): Buffer {
	const nonce = randomBytes(16);
	const secret = crypt(encrypt, nonce, content);
	return Buffer.concat([nonce, secret, authenticate(secret, mac, nonce)]);
}

/** @throws when the password is not that of the key */
export function rewrap(file: string, password: string): string {
	const wrapped = JSON.parse(file) as Wrapped;
	const content = unseal(derive(password, wrapped), Buffer.from(wrapped.data, 'base64'));
	const cheap = {...wrapped, N: 2, r: 1, p: 1};
	return JSON.stringify({...cheap, data: seal(derive(password, cheap), content).toString('base64')});
}

/** Files as they lie in a repository: what is given is sealed with its master key, uncompressed. `name` is the file's name. */
export function sealing(keyFile: string, password: string): (content: string) => {name: string; file: Buffer} {
	const wrapped = JSON.parse(keyFile) as Wrapped;
	const opened = JSON.parse(unseal(derive(password, wrapped), Buffer.from(wrapped.data, 'base64')).toString()) as {
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

/** The embedded repository of a running Holdfast container, with the one key that it has from the start. One that uses another is left. */
export async function makeKeyCheap(container: string, options: DockerOptions = {}): Promise<void> {
	const inContainer = async (script: string, input?: string) =>
		docker(['exec', '--interactive', container, 'sh', '-c', script], input === undefined ? options : {...options, input});
	if ((await inContainer('test ! -e /state/repository-password || test ! -e /repository/config || echo embedded')) !== 'embedded') {
		return;
	}

	const key = rewrap(await inContainer('cat /repository/keys/*'), (await inContainer('cat /state/repository-password')).trim());
	const name = createHash('sha256').update(key).digest('hex');
	const old = await inContainer('ls /repository/keys');
	await inContainer(`cat >/repository/keys/${name} && chmod 400 /repository/keys/${name} && rm -f /repository/keys/${old}`, key);
}
