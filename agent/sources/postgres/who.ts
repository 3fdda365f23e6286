/** Who dumps and restores, as the environment of images says it: the official one, Bitnami's, libpq's. */
import {explain, RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';

type Environment = Readonly<Record<string, string>>;

export interface Who {
	user: string;
	password: string | undefined;
	/** The password is known to be this role's; else it is that of another, and perhaps the same. */
	isOwn: boolean;
	/** Why a file with the password was not read. */
	unread: string | undefined;
}

const superuser = 'postgres';

/** Passwords of the superuser where the image has another role for the application. */
const superuserPasswords = ['POSTGRESQL_POSTGRES_PASSWORD', 'POSTGRES_POSTGRES_PASSWORD'];
const users = ['POSTGRES_USER', 'POSTGRESQL_USERNAME', 'POSTGRESQL_USER', 'PGUSER'];
const passwords = ['POSTGRES_PASSWORD', 'POSTGRESQL_PASSWORD'];

/** Databases that the image may have made. */
export const databasesOf = (env: Environment): string[] =>
	['POSTGRES_DB', 'POSTGRESQL_DATABASE', 'PGDATABASE'].flatMap(name => env[name] || []);

/**
 * @param role that a label names
 * @param read a file of the container, for the `…_FILE` of each variable
 * @throws {RunError} where the file that names the role cannot be read; one with a password may not be needed
 */
export async function whoDumps(env: Environment, role: string | undefined, read: (path: string) => Promise<string>): Promise<Who> {
	let unread: string | undefined;
	const secret = async (names: readonly string[]): Promise<string | undefined> => {
		for (const name of names) {
			const value = await settingOf(env, name, read).catch((error: unknown) => {
				unread = explain(error);
				return undefined;
			});
			if (value) {
				return value;
			}
		}

		return undefined;
	};

	const own = await secret(superuserPasswords);
	const image =
		own === undefined
			? await firstOf(env, users, read).catch(error => (role === undefined ? Promise.reject(error) : undefined))
			: superuser;
	const user = role ?? image ?? superuser;
	const password =
		own !== undefined && user === superuser ? own : await secret(isClient(env, user) ? ['PGPASSWORD', ...passwords] : passwords);
	return {user, password: password ?? own, isOwn: user === (image ?? superuser) || env.PGUSER === user, unread};
}

const isClient = ({PGUSER = ''}: Environment, user: string): boolean => PGUSER === '' || PGUSER === user;

async function firstOf(env: Environment, names: readonly string[], read: (path: string) => Promise<string>): Promise<string | undefined> {
	for (const name of names) {
		const value = await settingOf(env, name, read);
		if (value) {
			return value;
		}
	}

	return undefined;
}

async function settingOf(env: Environment, name: string, read: (path: string) => Promise<string>): Promise<string | undefined> {
	const path = env[`${name}_FILE`];
	if (env[name] || !path) {
		return env[name];
	}

	const content = await read(path).catch((error: unknown) => {
		throw new RunError(`\`${name}_FILE\` of the container names \`${path}\`, which cannot be read`, {
			cause: error,
			hint: `say it with a label: \`${label('postgres.user')}\`, \`${label('postgres.password-secret')}\``,
		});
	});
	return content.replace(/\r?\n$/, '');
}
