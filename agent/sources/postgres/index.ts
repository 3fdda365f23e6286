/** Databases of PostgreSQL servers. */
import {quote} from '../../../base/reading/quote.ts';
import {isWhole} from '../../../base/reading/reader.ts';
import type {Kind} from '../kind.ts';
import {askPostgres, type PostgresAnswer} from './ask.ts';
import {checkPostgres} from './check.ts';
import {postgresDrilling} from './drill.ts';
import {postgresSource} from './dump.ts';
import {examinePostgres} from './examine.ts';
import {type PostgresPolicy, postgresLabels, postgresPolicy} from './labels.ts';
import {claimedData, type PlannedDatabase, postgresSources, whereOf} from './plan.ts';
import {externalOf, insideOf} from './plan-external.ts';
import {questioned} from './question.ts';
import {serverFolders} from './reach.ts';
import {
	dropReplacedDatabase,
	obstaclesTo,
	postgresRestoring,
	type ReplacedDatabase,
	replacedDatabase,
	rollBackDatabase,
} from './restore.ts';
import {strainOf} from './sessions.ts';

/** PostgreSQL cuts longer names off. */
const longestName = 63;

export const postgres: Kind<PostgresPolicy | undefined, PostgresAnswer, PlannedDatabase, ReplacedDatabase> = {
	kind: 'postgres',
	title: 'Postgres',
	isDatabase: true,
	isServed: true,
	isTree: false,
	servers: [
		{
			title: 'PostgreSQL',
			image: /(?:^|\/)(?:postgres|postgis|timescaledb|pgvector)/,
			processes: ['postgres', 'postmaster'],
			port: 5432,
			labels: {postgres: 'true'},
			isSure: true,
		},
	],
	writesToMount: false,
	rank: 3,
	labels: postgresLabels,
	policy: postgresPolicy,
	asks: policy => policy !== undefined,
	ask: askPostgres,
	plan: postgresSources,
	claims: claimedData,
	covers: ({data = []}) => data.map(mount => ({mount, withInside: false})),
	strain(planned, answer, {isMoment}) {
		const [first] = planned;
		return first === undefined || answer?.sessions === undefined
			? {}
			: strainOf(answer.sessions, {databases: planned.length, isMoment}, whereOf(first));
	},
	// A server must answer while it is dumped; whose server is elsewhere is an application.
	stillness: ({external}) => (external === undefined ? 'forbidden' : 'allowed'),
	elsewhere: policy => (policy?.host === undefined ? undefined : 'PostgreSQL'),
	view: ({database, external}) => ({database, ...(external && {server: `${external.host}:${external.port}`})}),
	examine: examinePostgres,
	backup: postgresSource,
	place({source, name: database, details}, {container, policy, isForeign}) {
		if (isForeign && policy === undefined) {
			return `\`${source}\`: no label of container \`${container.name}\` asks for databases`;
		}

		const format = details.format === 'plain' ? 'plain' : 'custom';
		const external = externalOf(policy, container);
		const inside = policy && insideOf(policy, container);
		const {user, restoreBeforeSql: beforeSql, restoreAfterSql: afterSql} = policy ?? {};
		return {
			name: source,
			container,
			kind: 'postgres',
			database,
			format,
			user,
			...(external ? {external} : inside && {inside}),
			beforeSql,
			afterSql,
		};
	},
	nameProblem: name =>
		name !== '' && Buffer.byteLength(name) <= longestName && isWhole(name)
			? undefined
			: `the new database must have a name of 1 to ${longestName} bytes, got ${quote(name)}`,
	questioned,
	check: checkPostgres,
	serving: async (container, {engine}) => ({software: 'PostgreSQL', folders: await serverFolders(engine, container)}),
	restore: postgresRestoring,
	replaced: replacedDatabase,
	rollBack: rollBackDatabase,
	obstacles: obstaclesTo,
	release: dropReplacedDatabase,
	describe: ({old}) => (old === null ? undefined : `database ${old}`),
	drill: postgresDrilling,
};
