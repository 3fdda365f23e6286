/** The databases of a member that are dumped. */

import {quote, quoteAll} from '../../../base/reading/quote.ts';
import type {Container, Mount} from '../../../docker/container.ts';
import {isInside, mountOf} from '../../../docker/storage.ts';
import {canAnswer} from '../answering.ts';
import {keptByRestore} from '../database-name.ts';
import type {Asked, Scope} from '../kind.ts';
import type {Claim} from '../objections.ts';
import type {PlannedSource} from '../source.ts';
import type {PostgresAnswer} from './ask.ts';
import type {PostgresPolicy} from './labels.ts';
import {type ExternalServer, externalOf, type Inside, insideOf} from './plan-external.ts';

export interface PlannedDatabase extends PlannedSource {
	kind: 'postgres';
	database: string;
	/** `all`: as SQL, as part of a dump of the whole server. */
	format: 'custom' | 'plain' | 'all';
	/** None: the one that the container's `POSTGRES_USER` names, or `postgres`. */
	user?: string | undefined;
	/** Its server is not in the container. */
	external?: ExternalServer | undefined;
	/** What labels say of the server in the container. */
	inside?: Inside | undefined;
	/** How long its dump waits for a lock that somebody holds. */
	lockTimeoutMs?: number | undefined;
	/** The mounts that hold what is the server's own, where it is in the container. */
	data?: readonly Mount[] | undefined;
	/** SQL labels of its service, for a restore. */
	beforeSql?: string | undefined;
	afterSql?: string | undefined;
}

/** Of its server: completes "the server …". */
export const whereOf = ({container, external}: Pick<PlannedDatabase, 'container' | 'external'>): string =>
	external === undefined ? `in container \`${container.name}\`` : `at \`${external.host}:${external.port}\``;

export const isDatabase = (source: PlannedSource): source is PlannedDatabase => source.kind === 'postgres';

type PostgresScope = Scope<PostgresPolicy | undefined, PostgresAnswer>;

export function postgresSources(scope: PostgresScope): PlannedDatabase[] {
	const {container, group, policy: postgres, answer} = scope;
	if (postgres === undefined) {
		return [];
	}

	const external = externalOf(postgres, container);
	const where = whereOf({container, external});
	if (external === undefined && !canAnswer(scope, namesOf(scope))) {
		return [];
	}

	checkHidden(scope, where);
	for (const database of answer?.databases.invalid ?? []) {
		scope.remarks.note(
			`database ${quote(database)} of the server ${where} is what an interrupted \`drop database\` has left: it holds nothing, and can only be dropped`,
		);
	}

	const inside = external === undefined ? insideOf(postgres, container) : undefined;
	const {user, format, lockTimeoutMs = scope.lockTimeoutMs} = postgres;
	const databases = databasesOf(scope, postgres, where);
	checkNarrow(scope, databases, where);
	return databases.map(database => ({
		name: `${group}postgres:${database}`,
		container,
		kind: 'postgres',
		database,
		format,
		user,
		...(external === undefined ? {data: ownMounts(container, answer?.folders)} : {external}),
		...(inside === undefined ? {} : {inside}),
		...(lockTimeoutMs === undefined ? {} : {lockTimeoutMs}),
	}));
}

const namesOf = ({group, policy}: PostgresScope): string[] =>
	(policy === undefined || policy.databases === 'all' ? [''] : policy.databases.map(database => `:${database}`)).map(
		database => `${group}postgres${database}`,
	);

function checkHidden({prefix, answer, remarks}: PostgresScope, where: string): void {
	for (const [database, tables] of Object.entries(answer?.hidden ?? {})) {
		if (tables.length > 0) {
			remarks.problem(
				`policies (row level security) hide rows of ${quoteAll(tables)} in database ${quote(database)} of the server ${where} from the role that dumps it, so no dump of it can be whole`,
				`dump as a superuser (\`${prefix}postgres.user\`), or \`alter role … bypassrls\``,
			);
		}
	}
}

function checkNarrow({answer, remarks}: PostgresScope, databases: readonly string[], where: string): void {
	for (const [database, limit] of Object.entries(answer?.databases.narrow ?? {})) {
		if (databases.includes(database)) {
			remarks.problem(
				`database ${quote(database)} of the server ${where} has a connection limit of ${limit}, and its dump needs two sessions`,
				'`alter database … connection limit …`; it does not hold for a superuser',
			);
		}
	}
}

/** Those that are named, if the server has them; or all that it says it has. */
function databasesOf(scope: PostgresScope, postgres: PostgresPolicy, where: string): readonly string[] {
	const {prefix, answer, remarks} = scope;
	const {databases: wanted, format, exclude} = postgres;
	const {open: known, templates = []} = answer?.databases ?? {};
	const label = `\`${prefix}postgres\``;
	if (wanted === 'all') {
		const left = known?.filter(database => !exclude.includes(database));
		if (left === undefined) {
			remarks.problem(`${label} is \`true\`, and the server ${where} did not say which databases it has`);
		} else if (left.length === 0) {
			remarks.problem(`${label} is \`true\`, and the server ${where} has no database that allows connections`);
		}

		for (const database of templates.filter(template => !exclude.includes(template) && !keptByRestore.test(template))) {
			remarks.note(
				`database ${quote(database)} of the server ${where} is a template, which ${label} \`true\` leaves out: name it to take it`,
			);
		}

		checkWhole(scope, postgres, where);
		return left ?? [];
	}

	if (format === 'all') {
		remarks.problem(
			`\`${prefix}postgres.format\` is \`all\`, so ${label} must be \`true\`, got ${quoteAll(wanted)}`,
			`name what is left out with \`${prefix}postgres.exclude\`; or choose another format`,
		);
	}

	if (exclude.length > 0) {
		remarks.problem(`\`${prefix}postgres.exclude\` is for ${label} \`true\`, got ${quoteAll(exclude)} beside names`);
	}

	for (const database of wanted) {
		if (known !== undefined && ![...known, ...templates].includes(database)) {
			remarks.problem(
				`${label} must name databases of the server that allow connections, got ${quote(database)}`,
				`the server ${where} has ${quoteAll(known)}`,
			);
		}
	}

	return wanted;
}

/** A dump of the whole server is one: what nobody may connect to would be missing in it, unless a person says that it may. */
function checkWhole({prefix, answer, remarks}: PostgresScope, {format, exclude}: PostgresPolicy, where: string): void {
	if (format !== 'all') {
		return;
	}

	remarks.note(`the whole server ${where}: its roles, and every database but the templates`);
	for (const database of answer?.databases.closed ?? []) {
		if (!exclude.includes(database) && !keptByRestore.test(database)) {
			remarks.problem(
				`database ${quote(database)} of the server ${where} allows no connections, so a dump of the whole server would lack it`,
				`allow them (alter database … allow_connections true); or leave it out: \`${prefix}postgres.exclude\``,
			);
		}
	}
}

/** Where the official images keep their clusters, in every version of them. */
const postgresHome = '/var/lib/postgresql';

/**
 * The mounts that hold nothing but what is the server's own: its data directory, its WAL, its tablespaces, or parts of them. Where the images keep
 * it, the data directory may lie some folders down in its mount.
 * @param folders as the server says; undefined: it did not, so what lies where the official images keep them is taken for its own
 */
function dataMounts(container: Container, folders: readonly string[] | undefined): Mount[] {
	const [data] = folders ?? [];
	const holding = data && mountOf(data, container);
	return container.mounts.filter(
		mount =>
			folders?.some(folder => isInside(mount.path, folder)) ||
			(isInside(mount.path, postgresHome) && (folders === undefined || holding === mount)),
	);
}

/** Those, and the ones that something of the server's own lies in. */
const ownMounts = (container: Container, folders: readonly string[] | undefined): Mount[] => [
	...new Set([...dataMounts(container, folders), ...(folders ?? []).flatMap(folder => mountOf(folder, container) ?? [])]),
];

/** What is the server's own is no files: whole mounts, or folders in one. */
export function claimedData({container, policy}: Asked<PostgresPolicy | undefined>, answer: PostgresAnswer | undefined): Claim[] {
	if (policy === undefined || policy.host !== undefined) {
		return [];
	}

	const folders = answer?.folders ?? [`${postgresHome}/data`];
	const whole = dataMounts(container, answer?.folders);
	return [
		...whole.map(mount => ({
			mount,
			path: mount.path,
			why: 'holds the data directory of a Postgres server that is dumped, its WAL or a tablespace',
			isTold: true,
		})),
		...folders.flatMap((path, index) => {
			const mount = mountOf(path, container);
			const what = index === 0 ? 'the data directory' : 'the WAL or a tablespace';
			return mount === undefined || whole.includes(mount)
				? []
				: [{mount, path, why: `is ${what} of a Postgres server that is dumped`, isTold: true}];
		}),
	];
}
