/**
 * Functions that find other things by the search path, and are called while a dump is loaded: in indexes, generated columns, checks, materialized
 * views. A dump is loaded with an empty one (https://www.postgresql.org/docs/release/10.3/), and fails there; it is loaded again with the one that
 * the database has. From PostgreSQL 17 on such functions fail in indexes and materialized views anyway, and are left in generated columns and checks. Pure.
 */
import {Transform} from 'node:stream';
import type {DatabaseProperties} from './properties.ts';
import {splitStatements} from './roles.ts';

/** What every dump says at its beginning: as a statement in a plain one, as an entry of the table of contents in the custom format, which counts its bytes. */
const emptied = "SELECT pg_catalog.set_config('search_path', '', false);";

/** For `sed`: as many bytes, and the session has the path that it began with. */
export const keepPath = `0,/${emptied.replaceAll('.', String.raw`\.`)}/s//${'RESET search_path;'.padEnd(emptied.length)}/`;

/** The first of the dump, in which that is. */
const headBytes = 65_536;

/** The same, for a dump that flows through the agent. */
export function keepingPath(): Transform {
	let head: Buffer | undefined = Buffer.alloc(0);
	const edited = (bytes: Buffer): Buffer => {
		const at = bytes.indexOf(emptied);
		return at < 0
			? bytes
			: Buffer.concat([
					bytes.subarray(0, at),
					Buffer.from('RESET search_path;'.padEnd(emptied.length)),
					bytes.subarray(at + emptied.length),
				]);
	};
	return new Transform({
		transform(chunk: Buffer, _encoding, done) {
			if (head === undefined) {
				done(null, chunk);
				return;
			}

			head = Buffer.concat([head, chunk]);
			if (head.length < headBytes) {
				done();
				return;
			}

			done(null, edited(head));
			head = undefined;
		},
		flush(done) {
			done(null, head === undefined ? undefined : edited(head));
		},
	});
}

/** Of an operator the name comes behind: `operator does not exist: public.citext = public.citext`. */
const missing =
	/ERROR: {2}(?:(?:function|relation|type|operator|operator class|collation|text search \w+)(?: .*)? does not exist|no schema has been selected)/;

/** Whether a load failed for want of a path. */
export const isPathMissing = (message: string): boolean => missing.test(message);

/** A statement of the dump failed, whatever the server says of it in whichever language. */
export const isRefusedStatement = (message: string): boolean =>
	/could not execute query: |COPY failed for table |(?:^|: )psql:\S+:\d+: /.test(message);

const roleSetting = /^ALTER ROLE .* SET search_path TO (.+)$/s;

/** Of a role, as pg_dumpall writes it: literals. */
const fromLiterals = (list: string): string[] =>
	[...list.matchAll(/'((?:[^']|'')*)'/g)].map(([, name = '']) => `"${name.replaceAll("''", "'").replaceAll('"', '""')}"`);

const listed = (value: string): string[] => value.match(/"(?:[^"]|"")*"|[^\s,"]+/g) ?? [];

/** Those of the database, for everybody or for a role, then those of its roles, and `public`. */
export function pathOf({settings}: Pick<DatabaseProperties, 'settings'>, globals: string): string {
	const own = settings.filter(({name}) => name === 'search_path').flatMap(({value}) => listed(value));
	const roles = splitStatements(globals).flatMap(statement => fromLiterals(roleSetting.exec(statement)?.[1] ?? ''));
	return [...new Set([...own, ...roles, 'public'].map(name => name.replace(/^"([a-z_][a-z0-9_]*)"$/, '$1')))].join(', ');
}
