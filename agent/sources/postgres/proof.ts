/** Whether a database that was loaded is the one that was dumped: nothing of it is missing, and it says what its labels ask. */

import {RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';
import type {ManifestSource} from '../../repository/manifest.ts';
import type {RestoreContext} from '../restoring.ts';
import {eachEntry} from './archive.ts';
import {contentsSql, createTally, missingContents, type PostgresContents, postgresContents} from './contents.ts';
import type {postgresDetails} from './dump.ts';
import {runSql} from './psql.ts';
import type {PostgresServer} from './server.ts';

type Reading = Pick<RestoreContext, 'restic' | 'signal'>;

interface Loaded {
	/** Its present name. */
	fresh: string;
	stored: ManifestSource;
	details: ReturnType<typeof postgresDetails.parse>;
}

/** What the dump's table of contents names; a plain one has none. Only its beginning is read. @throws when it cannot be read */
export async function listContents(
	{restic, signal}: Reading,
	server: PostgresServer,
	{stored, details}: Omit<Loaded, 'fresh'>,
): Promise<PostgresContents> {
	const tally = createTally();
	if (details.format === 'custom') {
		await eachEntry({restic, server, stored, signal}, tally.add).catch((error: unknown) => {
			throw new RunError(`the dump of \`${details.database}\` cannot be read`, {cause: error});
		});
	}

	return tally.contents();
}

/**
 * Asked before SQL of the labels, or a job of an extension, may remove anything.
 * @param listed by the dump's table of contents
 * @returns how much there is of each kind @throws where the dump names more, or the database had more
 */
export async function countLoaded(
	server: PostgresServer,
	{fresh, details}: Omit<Loaded, 'stored'>,
	listed: PostgresContents,
): Promise<PostgresContents> {
	const found = postgresContents.parse(JSON.parse((await server.query(fresh, contentsSql))[0]?.[0] ?? '{}'));
	const missing = [
		...missingContents(listed, found, "the dump's table of contents names"),
		...missingContents(details.contents ?? {}, found, 'the database had'),
	];
	if (missing.length > 0) {
		throw new RunError(missing.join('; '));
	}

	return found;
}

/** A question that takes longer is none that a restore can wait for. */
const answerWithinSeconds = 600;

/** @throws where the query of `holdfast.drill.sql` says anything but true */
export async function assertTrue(server: PostgresServer, database: string, sql: string, signal: AbortSignal): Promise<void> {
	const statements = [`set statement_timeout = '${answerWithinSeconds}s'`, sql.replace(/[\s;]+$/, '')];
	const said = await runSql(server, {database, statements, signal}).catch((error: unknown) => {
		throw new RunError(`the query of \`${label('drill.sql')}\` failed`, {cause: error});
	});
	if (said.trim() !== 't') {
		throw new RunError(`the query of \`${label('drill.sql')}\` must return true, got \`${said.trim().slice(0, 200)}\``);
	}
}
