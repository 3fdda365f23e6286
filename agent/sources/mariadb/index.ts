/** Databases of MariaDB and MySQL servers. */
import {quote} from '../../../base/reading/quote.ts';
import {isWhole} from '../../../base/reading/reader.ts';
import {staging} from '../../../docker/worker.ts';
import {parseSource} from '../../repository/names.ts';
import type {Kind} from '../kind.ts';
import {describeSafety} from '../safety.ts';
import {askMariadb, type MariadbAnswer} from './ask.ts';
import {checkMariadb} from './check.ts';
import {mariadbDrilling} from './drill.ts';
import {mariadbSource} from './dump.ts';
import {examineMariadb} from './examine.ts';
import {accessOf, type MariadbPolicy, mariadbLabels, mariadbPolicy} from './labels.ts';
import {claimedData, mariadbSources, type PlannedSchema} from './plan.ts';
import {dropReplacedSchema, mariadbRestoring, type ReplacedSchema, replacedSchema, rollBackSchema} from './restore.ts';
import {connectMariadb, serverFolders} from './server.ts';

/** https://mariadb.com/kb/en/identifier-names/ */
const longestName = 64;

export const mariadb: Kind<MariadbPolicy | undefined, MariadbAnswer, PlannedSchema, ReplacedSchema> = {
	kind: 'mariadb',
	title: 'MariaDB',
	isDatabase: true,
	isServed: true,
	isTree: false,
	servers: [
		{
			title: 'MariaDB',
			image: /(?:^|\/)(?:mariadb|mysql|percona)/,
			processes: ['mariadbd', 'mysqld'],
			port: 3306,
			labels: {mariadb: 'true'},
			isSure: true,
		},
	],
	writesToMount: false,
	rank: 3,
	labels: mariadbLabels,
	policy: mariadbPolicy,
	asks: policy => policy !== undefined,
	ask: askMariadb,
	plan: mariadbSources,
	claims: claimedData,
	covers: ({data = []}) => data.map(mount => ({mount, withInside: false})),
	// A server must answer while it is dumped; whose server is elsewhere is an application.
	stillness: ({access}) => (access.host === undefined ? 'forbidden' : 'allowed'),
	elsewhere: policy => (policy?.host === undefined ? undefined : 'MariaDB or MySQL, as it was dumped from'),
	view: ({database, access: {host, port}}) => ({database, ...(host !== undefined && {server: `${host}:${port}`})}),
	examine: examineMariadb,
	backup: mariadbSource,
	place({source, name: database}, {container, policy, isForeign}) {
		return isForeign && policy === undefined
			? `\`${source}\`: no label of container \`${container.name}\` asks for databases`
			: {name: source, container, kind: 'mariadb', database, access: accessOf(policy, container)};
	},
	nameProblem: name =>
		name !== '' && name.length <= longestName && isWhole(name) && !name.endsWith(' ')
			? undefined
			: `the new database must have a name of 1 to ${longestName} characters, got ${quote(name)}`,
	questioned(policy, databases) {
		const wanted = policy?.databases;
		return Array.isArray(wanted)
			? databases.find(source => parseSource(source).name === wanted[0])
			: databases.length > 1
				? undefined
				: databases[0];
	},
	check: checkMariadb,
	serving: async (container, {engine}) => ({
		software: 'MariaDB',
		folders: await connectMariadb({engine}, container, {}).then(serverFolders, () => []),
	}),
	// It is loaded from there.
	writing: ({stored}) => ({folder: staging, atMost: stored.bytes}),
	restore: mariadbRestoring,
	replaced: replacedSchema,
	rollBack: rollBackSchema,
	release: dropReplacedSchema,
	describe: ({old, safety}) =>
		old === null ? undefined : [`database ${old.aside}`, describeSafety({safety}) ?? ''].filter(Boolean).join(', '),
	drill: mariadbDrilling,
};
