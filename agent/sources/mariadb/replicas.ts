/** Servers that follow this one do what it does, as far as its binary log says it. */
import type {MariadbServer} from './server.ts';

type Asked = Pick<MariadbServer, 'query' | 'where'>;

interface Following {
	replicas: number;
	/** What `binlog-do-db` and `binlog-ignore-db` say. */
	only: string[];
	without: string[];
}

const many = (replicas: number): string => `${replicas} ${replicas === 1 ? 'replica' : 'replicas'}`;

/** Only an administrator may ask; MySQL has another word for it from 8.4 on. */
async function following({query}: Pick<Asked, 'query'>): Promise<Following> {
	const [[replicas = '0'] = []] = await query("select count(*) from information_schema.processlist where command like 'Binlog Dump%'");
	const rows =
		Number(replicas) === 0 ? [] : await query('show master status').catch(async () => query('show binary log status').catch(() => []));
	const [, , only = '', without = ''] = rows[0] ?? [];
	const names = (list: string) => list.split(',').filter(Boolean);
	return {replicas: Number(replicas), only: names(only), without: names(without)};
}

/** What is made beside, and then renamed, has names that such a log leaves out, or has alone: replicas would stop, or keep what they have. */
export async function replicaProblems({query, where}: Asked, database: string): Promise<string[]> {
	const {replicas, only, without} = await following({query});
	return replicas > 0 && (only.length > 0 || without.includes(database))
		? [
				`the server ${where} has ${many(replicas)}, and a binary log of some databases only (\`binlog-do-db\`, \`binlog-ignore-db\`): they would stop, or not have what is restored; end them before, and make them anew after`,
			]
		: [];
}

/** Undefined: nobody follows. */
export async function replicaWarning({query, where}: Asked): Promise<string | undefined> {
	const {replicas} = await following({query});
	return replicas === 0
		? undefined
		: `the server ${where} has ${many(replicas)}: what is restored is restored there, too; one that takes some databases only (\`replicate-do-db\` and the like) stops at it, and must be made anew`;
}
