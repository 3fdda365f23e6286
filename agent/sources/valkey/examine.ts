/** What the doctor says of a server: that it answers, and which way it takes. */
import {succeed} from '../../../base/command.ts';
import {explain} from '../../../base/errors.ts';
import type {Finding} from '../../../base/shapes/targets.ts';
import type {Engine} from '../../../docker/engine.ts';
import type {Workforce} from '../../../docker/worker.ts';
import type {PlannedServer} from './plan.ts';
import {withValkey} from './server.ts';

interface Means {
	engine: Engine;
	workforce: Workforce;
}

export const examineValkey = (planned: PlannedServer, means: Means) =>
	planned.container.state === 'running' ? way(planned, means) : undefined;

async function way({container, access}: PlannedServer, {engine, workforce}: Means): Promise<Omit<Finding, 'subject'>> {
	try {
		return await withValkey(engine, container, {access}, async server => {
			const failed = (await server.info()).get('rdb_last_bgsave_status') !== 'ok';
			if (failed) {
				return {
					level: 'error',
					message: `the last save of its server (${server.software}) failed`,
					hint: `see its log; is there room in ${server.folder}, and may it write there?`,
				} as const;
			}

			try {
				server.assertEnterable();
				const {run} = await workforce.dump(container.id);
				await succeed(run, server.fromWorker('exec "$@"', [], ['true']));
				return {level: 'ok', message: `its server (${server.software}) saves, and a worker takes what it saved`} as const;
			} catch (error) {
				return {
					level: 'warning',
					message: `what its server saves is taken through docker exec, which is slower: ${explain(error)}`,
					hint: 'it is as good; docs/security.md says what a worker needs',
				} as const;
			}
		});
	} catch (error) {
		return {
			level: 'error',
			message: `its server cannot be saved: ${explain(error)}`,
			hint: 'docs/valkey.md says how a server is found and asked',
		};
	}
}
