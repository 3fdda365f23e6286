/** What only the server can say: which databases it has, and where it keeps its data. */
import type {Engine} from '../../../docker/engine.ts';
import type {Asked} from '../kind.ts';
import {assertClientFits} from './external.ts';
import type {PostgresPolicy} from './labels.ts';
import {externalOf, insideOf} from './plan-external.ts';
import {reachServer} from './reach.ts';
import {type Databases, listDatabases} from './server.ts';

export interface PostgresAnswer {
	databases: Databases;
	/** Of a server in its container, as the container sees them: the data directory, and then its WAL and its tablespaces. Where unknown: as in the official images. */
	folders?: readonly string[];
}

/** Undefined: there is no server to ask. */
export function askPostgres({container, policy}: Asked<PostgresPolicy | undefined>, {engine}: {engine: Engine}) {
	return policy !== undefined && (policy.host !== undefined || container.state === 'running')
		? ask({container, policy}, engine)
		: undefined;
}

async function ask({container, policy}: Asked<PostgresPolicy>, engine: Engine): Promise<PostgresAnswer> {
	const server = await reachServer(
		{engine},
		{
			container,
			user: policy.user,
			external: externalOf(policy, container),
			inside: insideOf(policy, container),
		},
	);
	await assertClientFits(server);
	return {databases: await listDatabases(server), ...(server.isExternal ? {} : {folders: await server.folders()})};
}
