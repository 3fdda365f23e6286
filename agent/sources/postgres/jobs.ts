/** How many sessions load a dump at once. */

import type {RestoreContext, RestoringSource} from '../restoring.ts';
import {roomProblems} from '../room.ts';
import type {postgresDetails} from './dump.ts';
import {needsOrder} from './extensions.ts';
import type {PlannedDatabase} from './plan.ts';
import type {PostgresServer} from './server.ts';

const most = 4;

/** Less is loaded before it is copied to a file, which several sessions need: they cannot read a stream. */
const smallestBytes = 64_000_000;

/** How many more sessions the server takes: from this role, and from anybody. */
const sparedSql = `select least(
	case when rolconnlimit < 0 then 1000000 else rolconnlimit - (select count(*) from pg_stat_activity where usename = current_user) end,
	current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int - (select count(*) from pg_stat_activity)
) from pg_roles where rolname = current_user`;

/**
 * Several only for a server that is no container here, although others would be quicker, too (467 MB in 4 tables with 12 indexes, on 2 busy
 * cores: 18 s with 2 jobs, the copy included, against 25 s). `pg_restore --jobs` has children: where they lose their parent, by a cancel or a
 * kill, they belong to the first process of their pid namespace, and where that is PostgreSQL, it takes their death for the crash of a session
 * and ends all others. A client worker has a namespace of its own.
 */
export async function jobsFor(
	{worker, staging, signal}: Pick<RestoreContext, 'worker' | 'staging' | 'signal'>,
	server: PostgresServer,
	{name, stored}: RestoringSource<PlannedDatabase>,
	{format, extensions}: Pick<ReturnType<typeof postgresDetails.parse>, 'format' | 'extensions'>,
): Promise<number> {
	if (!server.isExternal || format !== 'custom' || stored.bytes < smallestBytes || needsOrder(extensions)) {
		return 1;
	}

	const [[spared = '0'] = []] = await server.anywhere(sparedSql);
	// As many again are left to the application.
	if (Number(spared) < 2 * most) {
		return 1;
	}

	const problems = await roomProblems(worker, [{source: name, folder: staging, atMost: stored.bytes}], signal);
	return problems.length === 0 ? most : 1;
}
