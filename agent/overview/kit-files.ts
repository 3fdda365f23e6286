/** The files without which what is in the kit opens nothing: configurations, keys, certificates. Read where restic reads them: in the agent's container. */
import {readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import type {KitFile} from '../../base/shapes/kit.ts';
import type {Repository} from '../restic/repository.ts';

/** What is larger is no key, and nobody types it: a bundle of certificates, mostly. */
const largestBytes = 64 * 1024;

/** One of a configuration's files may name further ones: the key that it uses, the known hosts. */
const depth = 2;

/** What neither paper nor a terminal shows. */
const isBinary = /[\0-\x08\x0b-\x1f\x7f]/;

const inText = /(?:^|[\s=,"'])(\/[^\s,"':;*?|]+)/gm;

/** Of these names a value is a path, even where nothing is there. */
const isOfFile = /(?:CONFIG|FILE|CACERT|CERT|CREDENTIALS)$/;

/** @param home of the user that restic runs as */
export function kitFiles({location, env, options = {}}: Pick<Repository, 'location' | 'env' | 'options'>, home: string): KitFile[] {
	const {RESTIC_PASSWORD: _, ...named} = env;
	const files = new Map<string, KitFile>();
	/** `isMeant`: it is named where only a path can be, and told also where nothing is there. */
	const take = (paths: readonly string[], {left, isMeant}: {left: number; isMeant: boolean}) => {
		for (const path of paths) {
			const seen = files.has(path) ? undefined : look(path);
			if (seen !== undefined && (isMeant || !('missing' in seen))) {
				files.set(path, {path, ...seen});
				take(left > 0 && 'text' in seen ? pathsIn(seen.text) : [], {left: left - 1, isMeant: false});
			}
		}
	};
	take(
		Object.entries(named).flatMap(([name, value]) => (isOfFile.test(name) && value.startsWith('/') ? [value] : [])),
		{left: depth, isMeant: true},
	);
	take([...Object.values(named), ...Object.values(options)].flatMap(pathsIn), {left: depth, isMeant: false});
	take(customary(location, env, home), {left: depth, isMeant: false});
	return [...files.values()];
}

const pathsIn = (text: string): string[] => [...text.matchAll(inText)].flatMap(([, path]) => path ?? []);

/** Where the programs look by themselves. */
function customary(location: string, env: Readonly<Record<string, string>>, home: string): string[] {
	if (location.startsWith('sftp:')) {
		return ['/etc/ssh/ssh_known_hosts', ...entriesOf(join(home, '.ssh'))];
	}

	const isRclone = location.startsWith('rclone:') && env.RCLONE_CONFIG === undefined;
	return isRclone ? [join(home, '.config/rclone/rclone.conf'), join(home, '.rclone.conf')] : [];
}

function entriesOf(folder: string): string[] {
	try {
		return readdirSync(folder).map(name => join(folder, name));
	} catch {
		return [];
	}
}

type Seen = {text: string} | {base64: string} | {bytes: number} | {missing: string};

/** Undefined: a folder, or a device. */
function look(path: string): Seen | undefined {
	try {
		const stats = statSync(path);
		if (!stats.isFile()) {
			return undefined;
		}

		if (stats.size > largestBytes) {
			return {bytes: stats.size};
		}

		const content = readFileSync(path);
		const text = content.toString('utf8');
		return Buffer.from(text).equals(content) && !isBinary.test(text) ? {text} : {base64: content.toString('base64')};
	} catch (error) {
		return {missing: (error as NodeJS.ErrnoException).code ?? 'unreadable'};
	}
}

/** rclone writes a new one whenever the old one is over, and the old one serves to get it. */
const passingToken = /^\s*token\s*=.*$/gm;

/** What makes a kept kit worthless when it changes. */
export const lastingOf = (files: readonly KitFile[]): string =>
	JSON.stringify(files.map(file => ('text' in file ? {...file, text: file.text.replaceAll(passingToken, '')} : file)));
