/**
 * A key of the repository that costs nothing to open. By design a key of restic's takes half a second of a processor and 64 MiB at each start, so
 * that a password that a person chose is hard to guess. One that Holdfast made has 256 bits, which nobody guesses: there it proves nothing.
 *
 * The quick key is the same master key under the same password in restic's own format; `restic key list` shows it as `holdfast`. restic is
 * told of it by `RESTIC_KEY_HINT`, and opens the repository by its other key where it is missing.
 */
import {createHash, randomBytes} from 'node:crypto';
import {open, readdir, readFile, rename, rm, stat} from 'node:fs/promises';
import {hostname} from 'node:os';
import {join} from 'node:path';
import * as z from 'zod';
import {folderOf, type QuickKey} from './repository.ts';
import {derive, seal, unseal} from './sealing.ts';

const base64 = z.string().transform(text => Buffer.from(text, 'base64'));

/** A file in `keys/`, named by the SHA-256 of its content (restic 0.19.1, `internal/repository/key.go`). */
const keyFile = z.object({kdf: z.literal('scrypt'), N: z.number(), r: z.number(), p: z.number(), salt: base64, data: base64});

type KeyFile = z.infer<typeof keyFile>;

/** The least that scrypt allows. */
const cheapest = {N: 2, r: 1, p: 1} as const;

const isQuick = ({N, r, p}: KeyFile): boolean => N * r * p <= 1024;

interface Opened {
	location: string;
	env: Readonly<Record<string, string>>;
	isPasswordGenerated?: boolean | undefined;
}

/**
 * Of a folder with a password; undefined where no key file can be written by hand.
 * @param record the file that keeps the id of the key that was made
 */
export function quickKeyOf({location, env, isPasswordGenerated = false}: Opened, record: string): QuickKey | undefined {
	const folder = folderOf({location});
	const {RESTIC_PASSWORD: password} = env;
	return folder === undefined || password === undefined
		? undefined
		: createQuickKey(join(folder, 'keys'), {password, isPasswordGenerated, record});
}

function createQuickKey(
	keys: string,
	{password, isPasswordGenerated, record}: {password: string; isPasswordGenerated: boolean; record: string},
): QuickKey {
	let hint: string | undefined;

	const find = async (): Promise<void> => {
		let found: string | undefined;
		for (const {id, key} of await readKeys(keys)) {
			found ??= isQuick(key) && (await masterOf(key, password)) !== undefined ? id : undefined;
		}

		hint = found;
	};

	const make = async (): Promise<void> => {
		for (const {id, key} of await readKeys(keys)) {
			const master = await masterOf(key, password);
			if (master !== undefined) {
				const made = await wrap(master, password);
				await write(record, made.id, 0o600);
				const {mode, uid, gid} = await stat(join(keys, id));
				await write(join(keys, made.id), made.file, mode & 0o777, {uid, gid});
				hint = made.id;
				return;
			}
		}
	};

	/** Its password was another: who has that must not open the repository with it any more. */
	const removeFormer = async (): Promise<void> => {
		const former = await readFile(record, 'utf8').then(
			text => text.trim(),
			() => undefined,
		);
		const found = (await readKeys(keys)).find(({id}) => id === former);
		if (found !== undefined && isQuick(found.key) && (await masterOf(found.key, password)) === undefined) {
			await rm(join(keys, found.id));
		}
	};

	return {
		hint: () => hint,
		find: async () =>
			find().catch(() => {
				hint = undefined;
			}),
		async ensure() {
			await removeFormer().catch(() => {});
			if (hint === undefined && isPasswordGenerated) {
				// A repository that is read-only has none, and no room is no reason to fail.
				await make().catch(() => {});
			}
		},
	};
}

/** What cannot be read as a key is left out: restic itself says so when it matters. */
async function readKeys(keys: string): Promise<Array<{id: string; key: KeyFile}>> {
	const names = (await readdir(keys)).filter(name => /^[0-9a-f]{64}$/.test(name)).sort();
	const found = await Promise.all(
		names.map(async id => {
			const content = await readFile(join(keys, id), 'utf8').catch(() => '');
			const {data: key} = keyFile.safeParse(parsed(content));
			return key === undefined ? [] : [{id, key}];
		}),
	);
	return found.flat();
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/** The repository's own key, as the key file holds it; undefined when the password is not that of the key. */
const masterOf = async (key: KeyFile, password: string): Promise<Buffer | undefined> =>
	derive(password, key).then(
		derived => unseal(derived, key.data),
		() => undefined,
	);

async function wrap(master: Buffer, password: string): Promise<{id: string; file: string}> {
	const salt = randomBytes(64);
	const data = seal(await derive(password, {...cheapest, salt}), master);
	const file = JSON.stringify({
		created: new Date().toISOString(),
		username: 'holdfast',
		hostname: hostname(),
		kdf: 'scrypt',
		...cheapest,
		salt: salt.toString('base64'),
		data: data.toString('base64'),
	});
	return {id: createHash('sha256').update(file).digest('hex'), file};
}

/** Whole or not at all. restic takes no notice of files in `keys/` whose names are no ids. */
async function write(path: string, content: string, mode: number, owner?: {uid: number; gid: number}): Promise<void> {
	const draft = `${path}-tmp-${randomBytes(4).toString('hex')}`;
	try {
		const file = await open(draft, 'wx', mode);
		try {
			await file.writeFile(content);
			if (owner !== undefined) {
				await file.chown(owner.uid, owner.gid).catch(() => {});
			}

			await file.sync();
		} finally {
			await file.close();
		}

		await rename(draft, path);
	} finally {
		await rm(draft, {force: true});
	}

	const directory = await open(join(path, '..'));
	try {
		await directory.sync();
	} finally {
		await directory.close();
	}
}
