/** Snapshots by the ten thousand, which nobody has the time to make: written with the repository's own master key, as its design page says. */
import {createCipheriv, createHash, randomBytes} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';

/** What `restic cat masterkey` prints; base64. */
export interface MasterKey {
	mac: {k: string; r: string};
	encrypt: string;
}

const prime = (1n << 130n) - 5n;
const clamp = 0x0ffffffc0ffffffc0ffffffc0fffffffn;

const littleEndian = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex') || '0'}`);

/** Poly1305-AES. */
function authenticate(text: Buffer, nonce: Buffer, {mac}: MasterKey): Buffer {
	const cipher = createCipheriv('aes-128-ecb', Buffer.from(mac.k, 'base64'), null).setAutoPadding(false);
	const pad = littleEndian(cipher.update(nonce));
	const r = littleEndian(Buffer.from(mac.r, 'base64')) & clamp;
	let sum = 0n;
	for (let at = 0; at < text.length; at += 16) {
		const block = text.subarray(at, at + 16);
		sum = ((sum + littleEndian(block) + (1n << BigInt(8 * block.length))) * r) % prime;
	}

	return Buffer.from(((sum + pad) & ((1n << 128n) - 1n)).toString(16).padStart(32, '0'), 'hex').reverse();
}

function seal(content: unknown, key: MasterKey): Buffer {
	const nonce = randomBytes(16);
	const cipher = createCipheriv('aes-256-ctr', Buffer.from(key.encrypt, 'base64'), nonce);
	const text = Buffer.concat([cipher.update(JSON.stringify(content)), cipher.final()]);
	return Buffer.concat([nonce, text, authenticate(text, nonce, key)]);
}

/** @param folder of the repository, on this machine */
export async function writeSnapshots(folder: string, key: MasterKey, contents: Iterable<unknown>): Promise<void> {
	for (const content of contents) {
		const sealed = seal(content, key);
		await writeFile(join(folder, 'snapshots', createHash('sha256').update(sealed).digest('hex')), sealed, {mode: 0o400});
	}
}
