/** Which way the databases of a container are dumped: by a worker, or slower through docker exec. */
import {succeed} from '../../../base/command.ts';
import {explain} from '../../../base/errors.ts';
import type {Finding} from '../../../base/shapes/targets.ts';
import type {Engine} from '../../../docker/engine.ts';
import type {Workforce} from '../../../docker/worker.ts';
import type {PlannedSchema} from './plan.ts';
import {connectMariadb} from './server.ts';

interface Means {
	engine: Engine;
	workforce: Workforce;
}

export const examineMariadb = (planned: PlannedSchema, means: Means) =>
	planned.access.host === undefined && planned.container.state === 'running' ? dumpWay(planned, means) : undefined;

async function dumpWay({container, access}: PlannedSchema, {engine, workforce}: Means): Promise<Omit<Finding, 'subject'>> {
	try {
		const server = await connectMariadb({engine}, container, access);
		server.assertEnterable();
		const {run} = await workforce.dump(container.id);
		await succeed(run, server.fromWorker('exec "$@"', [], ['true']));
		return {level: 'ok', message: `its databases (${server.version}) are dumped by a worker`};
	} catch (error) {
		return {
			level: 'warning',
			message: `its databases are dumped through docker exec, which is slower: ${explain(error)}`,
			hint: 'the dumps are as good; docs/security.md says what a worker needs',
		};
	}
}
