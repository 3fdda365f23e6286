/** Views that no dump can have, or that cannot be loaded with it: each is made by its own statement, when all the rest is there. */
import * as z from 'zod';
import {explain} from '../../../base/errors.ts';
import {quoteIdentifier, quoteLiteral} from './client.ts';
import type {MariadbServer} from './server.ts';

type Asked = Pick<MariadbServer, 'query'>;

/** A view, and what makes it. */
export const lateView = z.object({name: z.string(), sql: z.string()});

export type LateView = z.infer<typeof lateView>;

export const viewsOf = async ({query}: Asked, database: string): Promise<string[]> =>
	(await query(`select table_name from information_schema.views where table_schema = ${quoteLiteral(database)} order by 1`)).flatMap(
		([name]) => name ?? [],
	);

/** What a view compares texts by is that of the session that made it. @param shown as `show create view` says it */
const sqlOf = ([, sql = '', , collation = '']: readonly string[]): string =>
	/^\w+$/.test(collation) ? `set collation_connection = ${collation}; ${sql}` : sql;

const withSql = async ({query}: Asked, database: string, name: string): Promise<LateView> => {
	const [shown = []] = await query(`show create view ${quoteIdentifier(name)}`, database);
	return {name, sql: sqlOf(shown)};
};

/** Those that name what is not there any more, or whose definer is gone: no dump can have them, as nobody can read them. */
export async function brokenViews({query}: Asked, database: string): Promise<LateView[]> {
	const broken: LateView[] = [];
	for (const name of await viewsOf({query}, database)) {
		const said = await query(`check table ${quoteIdentifier(database)}.${quoteIdentifier(name)}`);
		if (!said.some(([, , , message]) => message === 'OK')) {
			broken.push(await withSql({query}, database, name));
		}
	}

	return broken;
}

/** Every server has these. */
const everywhere = ['information_schema', 'performance_schema', 'mysql', 'sys'];

/**
 * Those that read another database, or such a view: where that is not there, as in a rehearsal, or not yet, as on a new server, a dump that has them cannot be loaded. A server
 * writes the name of its own database into a view that reads the server's (`information_schema`), too: such a one can be made in its place only.
 */
export async function outerViews({query}: Asked, database: string): Promise<LateView[]> {
	const definitions = await query(
		`select table_name, view_definition from information_schema.views where table_schema = ${quoteLiteral(database)} order by 1`,
	);
	if (definitions.length === 0) {
		return [];
	}

	const databases = await query('select schema_name from information_schema.schemata');
	const making = await query(definitions.map(([name = '']) => `show create view ${quoteIdentifier(name)}`).join('; '), database);
	const made = new Map(making.map(shown => [shown[0] ?? '', sqlOf(shown)]));
	const outer = outerAmong(
		database,
		definitions.map(([name = '', reads = '']) => ({name, reads, sql: made.get(name) ?? ''})),
		databases.flatMap(([name = '']) => (name === database || everywhere.includes(name.toLowerCase()) ? [] : [name])),
	);
	return outer.map(name => ({name, sql: made.get(name) ?? ''}));
}

/** As the first part of a name: a table may be called as another database is. */
const isIn = (sql: string, mark: string): boolean =>
	sql
		.split(mark)
		.slice(0, -1)
		.some(before => !before.endsWith('`.'));

/** @param views `reads`: every name in backticks, after that of its database; `sql`: after that of its own database only where another is read. Pure. */
export function outerAmong(database: string, views: ReadonlyArray<LateView & {reads: string}>, others: readonly string[]): string[] {
	const own = `${quoteIdentifier(database)}.`;
	const outer = new Set(views.filter(({sql}) => isIn(sql, own)).map(({name}) => name));
	let before: number;
	do {
		before = outer.size;
		const marks = [...others.map(other => `${quoteIdentifier(other)}.`), ...[...outer].map(view => `${own}${quoteIdentifier(view)}`)];
		for (const {name} of views.filter(({reads}) => marks.some(mark => isIn(reads, mark)))) {
			outer.add(name);
		}
	} while (outer.size > before);
	return views.flatMap(({name}) => (outer.has(name) ? [name] : []));
}

/** What names its own database, as it is there, names another one. Pure. */
export const movedTo = (view: LateView, from: string, to: string): LateView =>
	from === to
		? view
		: {
				...view,
				sql: view.sql
					.split(`${quoteIdentifier(from)}.`)
					.reduce((before, after) => `${before}${quoteIdentifier(before.endsWith('`.') ? from : to)}.${after}`),
			};

export interface Unmade extends LateView {
	why: string;
}

/** Each may need another: they are made in whichever order it takes. @returns those that the server does not take */
export async function makeViews({query}: Asked, database: string, views: readonly LateView[]): Promise<Unmade[]> {
	let left: Unmade[] = views.map(view => ({...view, why: ''}));
	let before: number;
	do {
		before = left.length;
		const again: Unmade[] = [];
		for (const view of left) {
			await query(view.sql, database).catch((error: unknown) => again.push({...view, why: explain(error)}));
		}

		left = again;
	} while (left.length > 0 && left.length < before);
	return left;
}

export const describeUnmade = (database: string, {name, why}: Unmade): string =>
	`the view \`${name}\` of \`${database}\` could not be made again: ${why}`;

export const ignoring = (database: string, views: readonly LateView[]): string[] =>
	views.map(({name}) => `--ignore-table=${database}.${name}`);
