/** Keeps what opens a repository out of everything that is printed. */
import type {Repository} from './repository.ts';

/** Shorter values would turn every text into asterisks. */
const shortestSecret = 4;

const withoutUserinfo = (url: string): string => {
	const [, scheme = '', rest = ''] = /^(.*?\/\/)(.*)$/s.exec(url) ?? [];
	const authority = /^[^/?#]*/.exec(rest)?.[0] ?? '';
	// A password may hold an unescaped slash; then what looks like the authority is none
	const isWhole = authority.includes('@') || /^(\[[^\]]*\]|[^:]*)(:\d*)?$/.test(authority);
	const end = (isWhole ? authority : rest).lastIndexOf('@');
	return scheme + rest.slice(end + 1);
};

/** The location without user names, passwords and queries: fit for logs, metrics and people. */
export function publicLocation(location: string): string {
	if (location.startsWith('rclone:')) {
		const [remote = '', ...options] = location.split(',');
		return options.length === 0 ? location : `${remote},…`;
	}

	return location.includes('//') && !location.startsWith('/') ? withoutUserinfo(location.replace(/\?.*$/s, '')) : location;
}

const decoded = (text: string): string => {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
};

const credentialsOf = (location: string): string[] => {
	const shown = publicLocation(location);
	if (shown === location) {
		return [];
	}

	const userinfo = /\/\/(.*)@/s.exec(location)?.[1] ?? '';
	const colon = userinfo.indexOf(':');
	const password = colon === -1 ? userinfo : userinfo.slice(colon + 1);
	return [location, userinfo, password, decoded(password), ...location.split(/[?&,=]/).slice(1)];
};

// As the value is, as a URL has it, and as a quoted string has it; a key of many lines may be quoted in part
const spellings = (value: string): string[] => [
	value,
	encodeURIComponent(value),
	JSON.stringify(value).slice(1, -1),
	...value
		.split('\n')
		.map(line => line.trim())
		.filter(line => line.length >= 8),
];

/** Replaces every secret of a repository in a text: the values of its environment, and the credentials in its location. */
export function redactor({location, env}: Pick<Repository, 'location' | 'env'>): (text: string) => string {
	const secrets = [...Object.values(env), ...credentialsOf(location)]
		.flatMap(spellings)
		.filter(secret => secret.length >= shortestSecret)
		.sort((a, b) => b.length - a.length);
	const distinct = [...new Set(secrets)];
	return text => {
		const shown = text.replaceAll(location, () => publicLocation(location));
		return distinct.reduce((current, secret) => current.replaceAll(secret, '***'), shown);
	};
}
