/** The server of a source, wherever it is. */

import {here} from '../../../base/here.ts';
import type {Container} from '../../../docker/container.ts';
import type {Engine} from '../../../docker/engine.ts';
import type {Worker} from '../../../docker/worker.ts';
import {connectExternal} from './external.ts';
import type {ExternalServer, Inside} from './plan-external.ts';
import {connectPostgres, type PostgresServer} from './server.ts';

interface Whereabouts {
	container: Pick<Container, 'id' | 'name'>;
	user?: string | undefined;
	external?: ExternalServer | undefined;
	inside?: Inside | undefined;
}

interface Means {
	engine: Engine;
	/** Where the programs of an external server run. None: here, which is for Holdfast's own SQL alone: psql obeys more than SQL. */
	clientWorker?: () => Promise<Worker>;
	signal?: AbortSignal;
}

export async function reachServer(
	{engine, clientWorker, signal}: Means,
	{container, user, external, inside}: Whereabouts,
): Promise<PostgresServer> {
	if (external === undefined) {
		return connectPostgres(engine, container, user, {...inside, signal});
	}

	const place = clientWorker === undefined ? here : (await clientWorker()).run;
	return connectExternal(external, {role: user, place, isWorker: clientWorker !== undefined, signal});
}

/** What is the own of the server that runs in a container; nothing where none runs. */
export const serverFolders = async (engine: Engine, container: Whereabouts['container']): Promise<string[]> =>
	connectPostgres(engine, container, undefined).then(
		async server => server.folders(),
		() => [],
	);
