/** restic's cryptography, as far as its key files need it: AES-256-CTR under Poly1305-AES, by keys that scrypt makes of a password. */
import {createCipheriv, randomBytes, scrypt, timingSafeEqual} from 'node:crypto';
import {promisify} from 'node:util';

export interface SealingKey {
	/** 32 bytes. */
	encrypt: Buffer;
	/** 16 bytes each. */
	mac: {k: Buffer; r: Buffer};
}

export interface Derivation {
	N: number;
	r: number;
	p: number;
	salt: Buffer;
}

/** restic itself keeps to 60 MiB. */
const mostMemory = 512 * 1024 ** 2;

const deriveBytes = promisify<string, Buffer, number, {N: number; r: number; p: number; maxmem: number}, Buffer>(scrypt);

/** @throws when it would take much more memory than restic's own keys do */
export async function derive(password: string, {salt, ...cost}: Derivation): Promise<SealingKey> {
	const bytes = await deriveBytes(password, salt, 64, {...cost, maxmem: mostMemory});
	return {encrypt: bytes.subarray(0, 32), mac: {k: bytes.subarray(32, 48), r: bytes.subarray(48)}};
}

const crypt = (key: Buffer, nonce: Buffer, content: Buffer): Buffer => createCipheriv('aes-256-ctr', key, nonce).update(content);

const prime = 2n ** 130n - 5n;
const whole = (1n << 128n) - 1n;

const littleEndian = (bytes: Buffer): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex') || '0'}`);

/** Poly1305 over the content, and AES-128 of the nonce added to it: 16 bytes. */
export function authenticate(content: Buffer, {k, r}: SealingKey['mac'], nonce: Buffer): Buffer {
	const factor = littleEndian(r) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
	let sum = 0n;
	for (let at = 0; at < content.length; at += 16) {
		const block = content.subarray(at, at + 16);
		sum = ((sum + littleEndian(block) + (1n << BigInt(8 * block.length))) * factor) % prime;
	}

	const pad = createCipheriv('aes-128-ecb', k, null).setAutoPadding(false).update(nonce);
	return Buffer.from(((sum + littleEndian(pad)) & whole).toString(16).padStart(32, '0'), 'hex').reverse();
}

/** Nonce, what is sealed, tag. */
export function seal({encrypt, mac}: SealingKey, content: Buffer): Buffer {
	const nonce = randomBytes(16);
	const secret = crypt(encrypt, nonce, content);
	return Buffer.concat([nonce, secret, authenticate(secret, mac, nonce)]);
}

/** Undefined when it was not sealed with this key. */
export function unseal({encrypt, mac}: SealingKey, sealed: Buffer): Buffer | undefined {
	if (sealed.length < 32) {
		return undefined;
	}

	const [nonce, content, tag] = [sealed.subarray(0, 16), sealed.subarray(16, -16), sealed.subarray(-16)];
	return timingSafeEqual(authenticate(content, mac, nonce), tag) ? crypt(encrypt, nonce, content) : undefined;
}
