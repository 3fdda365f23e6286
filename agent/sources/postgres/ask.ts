/** What only the server can say: which databases it has, and where it keeps its data. */
import type {Engine} from '../../../docker/engine.ts';
import type {Asked} from '../kind.ts';
import {type Databases, describeServer} from './describe.ts';
import {assertClientFits} from './external.ts';
import type {PostgresPolicy} from './labels.ts';
import {externalOf, insideOf} from './plan-external.ts';
import {reachServer} from './reach.ts';
import type {PostgresServer} from './server.ts';
import type {Sessions} from './sessions.ts';

export interface PostgresAnswer {
	databases: Databases;
	/** Of a server in its container, as the container sees them: the data directory, and then its WAL and its tablespaces. Where unknown: as in the official images. */
	folders?: readonly string[];
	sessions?: Sessions;
	/** By database: tables of which policies hide rows from the role, so that no dump can be whole. */
	hidden?: Readonly<Record<string, readonly string[]>>;
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
	const {tablespaces: _, ...answer} = await answerOf(server, policy);
	return answer;
}

async function askInside({container, policy}: Asked<PostgresPolicy>, engine: Engine): Promise<PostgresAnswer> {
	const kept = reached.get(engine) ?? new Map<string, Reached>();
	reached.set(engine, kept);
	const {startedAt} = await engine.inspect(container.id);
	const known = kept.get(container.id);
	if (known?.startedAt === startedAt) {
		try {
			return await insideAnswer(known.server, policy);
		} catch {
			// It may have moved within its container, or have another password: it is looked for again.
		}
	}

	kept.delete(container.id);
	const server = await reachServer({engine}, {container, user: policy.user, inside: insideOf(policy, container)});
	const answer = await insideAnswer(server, policy);
	const [oldest] = kept.keys();
	if (oldest !== undefined && kept.size >= mostKept) {
		kept.delete(oldest);
	}

	kept.set(container.id, {startedAt, server});
	return answer;
}

async function insideAnswer(server: PostgresServer, policy: PostgresPolicy): Promise<PostgresAnswer> {
	const {tablespaces, ...answer} = await answerOf(server, policy);
	return {...answer, folders: [...new Set([...(await server.folders()), ...tablespaces])]};
}

async function answerOf(server: PostgresServer, {databases: wanted, exclude}: PostgresPolicy) {
	const {seesAll, ...answer} = await describeServer(server);
	const {open, templates = []} = answer.databases;
	const dumped =
		wanted === 'all' ? open.filter(name => !exclude.includes(name)) : [...open, ...templates].filter(name => wanted.includes(name));
	return seesAll ? answer : {...answer, hidden: await hiddenFrom(server, dumped)};
}

/** pg_dump fails for these (`row_security` is off in its sessions): https://www.postgresql.org/docs/current/app-pgdump.html */
const hiddenSql = `select to_json(oid::regclass::text) from pg_class where relkind in ('r', 'p') and relrowsecurity and row_security_active(oid) order by 1::text`;

async function hiddenFrom(server: PostgresServer, databases: readonly string[]): Promise<Record<string, string[]>> {
	const hidden: Record<string, string[]> = {};
	for (const database of databases) {
		// One that cannot be asked is no reason to know nothing of the others: its dump says why.
		const rows = await server.query(database, hiddenSql).catch(() => []);
		hidden[database] = rows.map(([table = '""']) => JSON.parse(table) as string);
	}

	return hidden;
}
