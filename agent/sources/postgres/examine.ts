/** Which way the databases of a container are dumped: by a worker, or slower through docker exec. */
import {succeed} from '../../../base/command.ts';
import {explain} from '../../../base/errors.ts';
import type {Finding} from '../../../base/shapes/targets.ts';
import type {Engine} from '../../../docker/engine.ts';
import type {Workforce} from '../../../docker/worker.ts';
import type {PlannedDatabase} from './plan.ts';
import {reachServer} from './reach.ts';
import {serverVersion} from './server.ts';

interface Means {
	engine: Engine;
	workforce: Workforce;
}

export const examinePostgres = (planned: PlannedDatabase, means: Means) =>
	planned.external === undefined && planned.container.state === 'running' ? dumpWay(planned, means) : undefined;

async function dumpWay(planned: PlannedDatabase, {engine, workforce}: Means): Promise<Omit<Finding, 'subject'>> {
	let server: Awaited<ReturnType<typeof reachServer>>;
	let version: string;
	try {
		server = await reachServer({engine}, planned);
		version = (await serverVersion(server)).versionText;
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
		return {level: 'ok', message: `its databases (PostgreSQL ${version}) are dumped by a worker`};
	} catch (error) {
		return {
			level: 'warning',
			message: `its databases are dumped through docker exec, which is slower: ${explain(error)}`,
			hint: 'the dumps are as good; docs/security.md says what a worker needs',
		};
	}
}
