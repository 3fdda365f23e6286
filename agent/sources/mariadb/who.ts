/** Who dumps and restores, as the environment of images says it: the official ones, Bitnami's, linuxserver's. */
import {explain} from '../../../base/errors.ts';

type Environment = Readonly<Record<string, string>>;

export interface Login {
	user: string;
	password: string | undefined;
	/** As the container's root, whom the server may know by its socket; else as the server's own user. */
	asRoot: boolean;
}

const both = (name: string): string[] => [`MARIADB_${name}`, `MYSQL_${name}`];

interface Wanted {
	/** That a label names. */
	user?: string | undefined;
	password?: string | undefined;
}

/**
 * In the order in which they are tried: whoever may do most first.
 *
 * @param read a file of the container, for the `…_FILE` of each variable
 * @returns `unread`: why a file was not read, which matters where none of them is let in
 */
export async function loginsOf(
	env: Environment,
	wanted: Wanted,
	read: (path: string) => Promise<string>,
): Promise<{logins: Login[]; unread: string[]}> {
	const unread: string[] = [];
	const setting = async (name: string): Promise<string | undefined> => {
		for (const variable of both(name)) {
			const path = env[`${variable}_FILE`];
			const value =
				env[variable] ||
				(path &&
					(await read(path).catch((error: unknown) => {
						unread.push(`\`${variable}_FILE\` names \`${path}\`, which cannot be read: ${explain(error)}`);
						return undefined;
					})));
			if (value) {
				return value.replace(/\r?\n$/, '');
			}
		}

		return undefined;
	};

	const superuser = (await setting('ROOT_USER')) ?? 'root';
	const known: Login[] = [
		{user: superuser, password: await setting('ROOT_PASSWORD'), asRoot: false},
		{user: superuser, password: undefined, asRoot: true},
		// Debian's own account, known by the socket.
		{user: 'mysql', password: undefined, asRoot: false},
	].filter(({password, asRoot, user}) => password !== undefined || asRoot || user === 'mysql');
	const user = await setting('USER');
	const application: Login[] = user === undefined ? [] : [{user, password: await setting('PASSWORD'), asRoot: false}];
	const all = [...known, ...application];
	if (wanted.user === undefined) {
		return {logins: wanted.password === undefined ? all : [{user: superuser, password: wanted.password, asRoot: false}], unread};
	}

	const named = wanted.user;
	const own = all.filter(login => login.user === named);
	return {
		logins:
			wanted.password === undefined
				? own.length > 0
					? own
					: all.map(({password}) => ({user: named, password, asRoot: false}))
				: [{user: named, password: wanted.password, asRoot: false}],
		unread,
	};
}
