/** Which way the databases of a container are dumped: by a worker, or slower through docker exec. */
import {succeed} from '../../../base/command.ts';
import {explain} from '../../../base/errors.ts';
import {quoteAll} from '../../../base/reading/quote.ts';
import type {Finding} from '../../../base/shapes/targets.ts';
import type {Engine} from '../../../docker/engine.ts';
import type {Workforce} from '../../../docker/worker.ts';
import {serverVersion} from './describe.ts';
import type {PlannedDatabase} from './plan.ts';
import {reachServer} from './reach.ts';

interface Means {
	engine: Engine;
	workforce: Workforce;
}

/** From 15 on a server knows by which version of the collations a database was made. */
const firstWithVersions = 150_000;
const outdatedSql = `select to_json(datname) from pg_database where datallowconn and datconnlimit <> -2 and not datistemplate
	and datcollversion <> pg_database_collation_actual_version(oid) order by datname`;

export const examinePostgres = (planned: PlannedDatabase, means: Means) =>
	planned.external === undefined && planned.container.state === 'running' ? dumpWay(planned, means) : undefined;

async function dumpWay(planned: PlannedDatabase, {engine, workforce}: Means): Promise<Omit<Finding, 'subject'>> {
	let server: Awaited<ReturnType<typeof reachServer>>;
	let version: string;
	let outdated: string[];
	try {
		server = await reachServer({engine}, planned);
		const {versionNumber, versionText} = await serverVersion(server);
		version = versionText;
		outdated =
			versionNumber < firstWithVersions ? [] : (await server.anywhere(outdatedSql)).map(([name = '""']) => JSON.parse(name) as string);
	} catch (error) {
		return {
			level: 'error',
			message: `its databases cannot be dumped: ${explain(error)}`,
			hint: 'docs/postgres.md says how a server is found and asked',
		};
	}

	try {
		server.assertEnterable();
		const {run} = await workforce.dump(planned.container.id);
		await succeed(run, server.fromWorker('exec "$@"', [], ['true']));
		const message = `its databases (PostgreSQL ${version}) are dumped by a worker`;
		return outdated.length === 0
			? {level: 'ok', message}
			: {
					level: 'warning',
					message: `${message}; its databases ${quoteAll(outdated)} were made with another version of the system's collations, so their indexes of texts may be out of order`,
					hint: '`reindex database …`, then `alter database … refresh collation version`; a restore makes the indexes anew, too',
				};
	} catch (error) {
		return {
			level: 'warning',
			message: `its databases are dumped through docker exec, which is slower: ${explain(error)}`,
			hint: 'the dumps are as good; docs/security.md says what a worker needs',
		};
	}
}
