/** What only the server can say: which databases it has, where it keeps its data, and what of it is in no transaction. */
import type {Engine} from '../../../docker/engine.ts';
import type {Asked} from '../kind.ts';
import {accessOf, type MariadbPolicy} from './labels.ts';
import {type Lacking, lackingOf} from './lacking.ts';
import {connectMariadb, listDatabases, notOfServer, serverFolders} from './server.ts';

export interface MariadbAnswer {
	databases: readonly string[];
	/** As the container sees them: the data directory first. */
	folders: readonly string[];
	/** Of each database that has such: how many tables of engines without transactions there are, one of them, and its engine. */
	loose: ReadonlyMap<string, {count: number; table: string; engine: string}>;
	/** Of each database that the account may not dump: what it takes. */
	lacking: ReadonlyMap<string, Lacking>;
	user: string;
}

/** Undefined: there is no server to ask. */
export const askMariadb = ({container, policy}: Asked<MariadbPolicy | undefined>, {engine}: {engine: Engine}) =>
	policy !== undefined && (policy.host !== undefined || container.state === 'running') ? ask({container, policy}, engine) : undefined;

const looseSql = `select table_schema, count(*), min(table_name), min(engine) from information_schema.tables
	where table_type = 'BASE TABLE' and engine not in ('InnoDB', 'ROCKSDB', 'TokuDB', 'SEQUENCE') and ${notOfServer('lower(table_schema)')} group by 1`;

async function ask({container, policy}: Asked<MariadbPolicy>, engine: Engine): Promise<MariadbAnswer> {
	const server = await connectMariadb({engine}, container, accessOf(policy, container));
	const [loose, databases, folders] = await Promise.all([server.query(looseSql), listDatabases(server), serverFolders(server)]);
	return {
		databases,
		folders,
		user: server.user,
		lacking: await lackingOf(server, databases),
		loose: new Map(loose.map(([database = '', count, table = '', kind = '']) => [database, {count: Number(count), table, engine: kind}])),
	};
}
