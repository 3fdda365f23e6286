/** What only the server can say: which databases it has, and where it keeps its data. */
import type {Engine} from '../../../docker/engine.ts';
import type {Asked} from '../kind.ts';
import {assertClientFits} from './external.ts';
import type {PostgresPolicy} from './labels.ts';
import {externalOf, insideOf} from './plan-external.ts';
import {reachServer} from './reach.ts';
import {type Databases, describeServer, type PostgresServer} from './server.ts';
import type {Sessions} from './sessions.ts';

export interface PostgresAnswer {
	databases: Databases;
	/** Of a server in its container, as the container sees them: the data directory, and then its WAL and its tablespaces. Where unknown: as in the official images. */
	folders?: readonly string[];
	sessions?: Sessions;
}

interface Reached {
	startedAt: string;
	server: PostgresServer;
}

/** More than one machine runs. */
const mostKept = 200;

/** The server of each container that was reached since its start: who and where it is need not be looked for again, only be asked. */
const reached = new WeakMap<Engine, Map<string, Reached>>();

/** Undefined: there is no server to ask. */
export function askPostgres({container, policy}: Asked<PostgresPolicy | undefined>, {engine}: {engine: Engine}) {
	if (policy?.host !== undefined) {
		return askExternal({container, policy}, engine);
	}

	return policy !== undefined && container.state === 'running' ? askInside({container, policy}, engine) : undefined;
}

async function askExternal({container, policy}: Asked<PostgresPolicy>, engine: Engine): Promise<PostgresAnswer> {
	const server = await reachServer({engine}, {container, user: policy.user, external: externalOf(policy, container)});
	await assertClientFits(server);
	const {tablespaces: _, ...answer} = await describeServer(server);
	return answer;
}

async function askInside({container, policy}: Asked<PostgresPolicy>, engine: Engine): Promise<PostgresAnswer> {
	const kept = reached.get(engine) ?? new Map<string, Reached>();
	reached.set(engine, kept);
	const {startedAt} = await engine.inspect(container.id);
	const known = kept.get(container.id);
	if (known?.startedAt === startedAt) {
		try {
			return await answerOf(known.server);
		} catch {
			// It may have moved within its container, or have another password: it is looked for again.
		}
	}

	kept.delete(container.id);
	const server = await reachServer({engine}, {container, user: policy.user, inside: insideOf(policy, container)});
	const answer = await answerOf(server);
	const [oldest] = kept.keys();
	if (oldest !== undefined && kept.size >= mostKept) {
		kept.delete(oldest);
	}

	kept.set(container.id, {startedAt, server});
	return answer;
}

async function answerOf(server: PostgresServer): Promise<PostgresAnswer> {
	const {tablespaces, ...answer} = await describeServer(server);
	return {...answer, folders: [...new Set([...(await server.folders()), ...tablespaces])]};
}
