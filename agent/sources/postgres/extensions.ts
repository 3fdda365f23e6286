/** Extensions that a restore must go around with care: made in the right order and version, told that a restore begins, and that it is over. */
import {quoteLiteral} from './sql.ts';

interface Care {
	/** SQL before the content is loaded, in the order of this list; `version` is the dumped one. */
	before: (version: string) => readonly string[];
	after: readonly string[];
	/** What it keeps in its own tables fits no other version. */
	sameVersion: boolean;
}

/**
 * https://docs.timescale.com/self-hosted/latest/backup-and-restore/ and Promscale's own instructions: promscale is made after
 * `timescaledb_pre_restore`, never before it, and is the last to be told.
 */
const careful: Readonly<Record<string, Care>> = {
	timescaledb: {
		before: version => [`create extension if not exists timescaledb version ${quoteLiteral(version)}`, 'select timescaledb_pre_restore()'],
		// Once, and its scheduler may have read that the restore goes on still: https://github.com/timescale/timescaledb/issues/5842
		after: ['select timescaledb_post_restore()', 'select timescaledb_post_restore()'],
		sameVersion: true,
	},
	promscale: {
		before: version => [`create extension if not exists promscale version ${quoteLiteral(version)}`],
		after: ['select prom_api.promscale_post_restore()'],
		sameVersion: true,
	},
};

type Extensions = Readonly<Record<string, string>>;

const present = (extensions: Extensions) =>
	Object.entries(careful).flatMap(([name, care]) => (extensions[name] === undefined ? [] : [{name, care, version: extensions[name]}]));

/** Whether a dump with these is loaded in the order in which it was written. */
export const needsOrder = (extensions: Extensions): boolean => present(extensions).length > 0;

export const beforeLoad = (extensions: Extensions): string[] => present(extensions).flatMap(({care, version}) => care.before(version));

export const afterLoad = (extensions: Extensions): string[] => present(extensions).flatMap(({care}) => care.after);

/** A row of `pg_available_extension_versions`. */
export interface Available {
	name: string;
	version: string;
	/** Only a superuser may make it; unless it is trusted, which is known from PostgreSQL 13 on. */
	superuser: boolean;
	trusted: boolean;
}

/** What a role that is no superuser may not make. Who owns the database may make trusted ones, from PostgreSQL 13 on. */
export function privilegeProblems(
	extensions: Extensions,
	available: readonly Available[],
	{role, server}: {role: string; server: number},
): string[] {
	return Object.entries(extensions).flatMap(([name, version]) => {
		const candidates = available.filter(entry => entry.name === name);
		const entry = candidates.find(candidate => candidate.version === version) ?? candidates[0];
		// Every new database has it.
		if (name === 'plpgsql' || entry === undefined || !entry.superuser || entry.trusted) {
			return [];
		}

		const since = server < 130_000 ? ' before PostgreSQL 13' : '';
		return [`only a superuser may make the extension ${name}${since}, and role \`${role}\` is none`];
	});
}

/** @param available `name version`, as the server can make them */
export function extensionProblems(extensions: Extensions, available: readonly string[]): string[] {
	const known = new Set(available);
	const names = new Set(available.map(entry => entry.slice(0, entry.indexOf(' '))));
	return Object.entries(extensions).flatMap(([name, version]) => {
		if (!names.has(name)) {
			return [`the server does not have the extension ${name}`];
		}

		return careful[name]?.sameVersion && !known.has(`${name} ${version}`)
			? [
					`it needs the extension ${name} in version ${version}, and the server has ${available.filter(entry => entry.startsWith(`${name} `)).join(', ')}`,
				]
			: [];
	});
}
