/** Who saves and restores, as images and people say it: labels, the command line, the configuration, the environment. */
import {explain} from '../../../base/errors.ts';
import type {Settings} from './settings.ts';

export interface Login {
	/** None: the server's default user. */
	user: string | undefined;
	password: string;
}

/** `REDIS_PASSWORD`, `VALKEY_AUTH`, `REDISPASS`, `REDISCLI_AUTH`, and each with `_FILE`. */
const telling = /(?:REDIS|VALKEY).*(?:PASS|AUTH)/;

interface Known {
	env: Readonly<Record<string, string>>;
	settings: Pick<Settings, 'passwordsOf'>;
	/** A file of the container. */
	read: (path: string) => Promise<string>;
	/** What labels say. */
	wanted: {user?: string | undefined; password?: string | undefined};
}

/**
 * In the order in which they are tried.
 *
 * @returns `unread`: why a file was not read, which matters where none of them is let in
 */
export async function loginsOf({env, settings, read, wanted: {user, password}}: Known): Promise<{logins: Login[]; unread: string[]}> {
	if (password !== undefined) {
		return {logins: [{user, password}], unread: []};
	}

	const unread: string[] = [];
	const passwords = settings.passwordsOf(user ?? 'default');
	for (const [name, value] of Object.entries(env).filter(([name, value]) => telling.test(name) && value !== '')) {
		if (name.endsWith('_FILE')) {
			passwords.push(
				...(await read(value).then(
					content => [content.replace(/\r?\n$/, '')],
					(error: unknown) => {
						unread.push(`\`${name}\` names \`${value}\`, which cannot be read: ${explain(error)}`);
						return [];
					},
				)),
			);
		} else {
			passwords.push(value);
		}
	}

	return {logins: [...new Set(passwords)].filter(Boolean).map(known => ({user, password: known})), unread};
}
