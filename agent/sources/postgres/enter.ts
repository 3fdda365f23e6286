/** Into the container of a server: where its own programs run beside the staging folder. */
import {succeed} from '../../../base/command.ts';
import {explain} from '../../../base/errors.ts';
import type {SourceContext} from '../source.ts';
import type {PostgresServer} from './server.ts';

/** None where the engine, a security module or a pid namespace of the host forbids it: then it is said, and docker exec serves. */
export async function enterableWorker(
	{dumpWorker, clientWorker, tell}: SourceContext,
	server: PostgresServer,
	{id, name}: {id: string; name: string},
	signal: AbortSignal,
) {
	if (server.isExternal) {
		return (await clientWorker()).run;
	}

	try {
		server.assertEnterable();
		const {run} = await dumpWorker(id);
		await succeed(run, {...server.fromWorker('exec "$@"', [], ['true']), signal});
		return run;
	} catch (error) {
		signal.throwIfAborted();
		tell({type: 'warning', message: `dumps of container \`${name}\` go through docker exec, which is slower: ${explain(error)}`});
		return undefined;
	}
}
