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

/** Which repository it is, in one call: `none` that is embedded; `quick`: the key that Holdfast made is the only one from now on; or the names of keys that are slow. */
const look = `test -e /state/repository-password && cd /repository/keys 2>/dev/null || exec echo none
quick=$(grep -lE '"N": ?2[,}]' * | head -n 1)
for key in *; do
	test "$key" = "$quick" || if test -n "$quick"; then rm -f "$key"; else echo "$key"; fi
done
test -z "$quick" || echo quick`;

/** The embedded repository of a running Holdfast container. One that has another password is left. */
export async function makeKeyCheap(container: string, options: DockerOptions = {}): Promise<void> {
	const inContainer = async (script: string, input?: string) =>
		docker(['exec', '--interactive', container, 'sh', '-c', script], input === undefined ? options : {...options, input});
	// Holdfast makes one by itself, beside restic's own: a plain restic would take either
	const found = await inContainer(look);
	if (found === 'none' || found === 'quick') {
		return;
	}

	const slow = found.split('\n');
	const key = await rewrap(
		await inContainer(`cat /repository/keys/${slow[0]}`),
		(await inContainer('cat /state/repository-password')).trim(),
	);
	const name = createHash('sha256').update(key).digest('hex');
	const others = slow.map(id => `/repository/keys/${id}`).join(' ');
	await inContainer(`cat >/tmp/key && install -m 400 /tmp/key /repository/keys/${name} && rm -f /tmp/key ${others}`, key);
}
