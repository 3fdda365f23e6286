/** The databases of a member that are dumped. */

import {quote, quoteAll} from '../../../base/reading/quote.ts';
import type {Container, Mount} from '../../../docker/container.ts';
import {isInside, mountOf} from '../../../docker/storage.ts';
import type {PlannedSource} from '../kind.ts';
import type {Scope} from '../scope.ts';
import type {PostgresPolicy} from './labels.ts';
import {externalOf, insideOf} from './plan-external.ts';

export function postgresSources(scope: Scope, postgres: PostgresPolicy | undefined): PlannedSource[] {
	const {container, prefix: group} = scope.member;
	if (postgres === undefined) {
		return [];
	}

	const external = externalOf(postgres, container);
	const where = external === undefined ? `in container \`${container.name}\`` : `at \`${external.host}:${external.port}\``;
	if (external === undefined && !canBeDumped(scope)) {
		return [];
	}

	if (external !== undefined && scope.member.policy.drillImage === undefined) {
		scope.remarks.note(`no rehearsal is scheduled: \`${scope.prefix}drill.image\` names no image that a server could be made of`);
	}

	const inside = external === undefined ? insideOf(postgres, container) : undefined;
	const {user, format, lockTimeoutMs = scope.lockTimeoutMs} = postgres;
	return databasesOf(scope, postgres, where).map(database => ({
		name: `${group}postgres:${database}`,
		container,
		kind: 'postgres',
		database,
		format,
		user,
		...(external === undefined ? {} : {external}),
		...(inside === undefined ? {} : {inside}),
		...(lockTimeoutMs === undefined ? {} : {lockTimeoutMs}),
	}));
}

function canBeDumped({member: {container}, prefix, remarks}: Scope): boolean {
	const label = `${prefix}postgres`;
	const running = container.state === 'running';
	if (!running) {
		const mend = container.state === 'paused' ? `unpause it: docker unpause ${container.name}` : `start it: docker start ${container.name}`;
		const why = container.state === 'paused' ? 'is paused by somebody else' : `is not running (${container.state})`;
		remarks.problem(`\`${label}\` needs a server that answers, and container \`${container.name}\` ${why}`, `${mend}; or remove the label`);
	}

	return running;
}

/** Those that are named, if the server has them; or all that it says it has. */
function databasesOf(scope: Scope, postgres: PostgresPolicy, where: string): readonly string[] {
	const {
		member: {container},
		prefix,
		databases,
		remarks,
	} = scope;
	const {databases: wanted, format, exclude} = postgres;
	const known = databases.get(container.id);
	const label = `\`${prefix}postgres\``;
	if (wanted === 'all') {
		const left = known?.filter(database => !exclude.includes(database));
		if (left === undefined) {
			remarks.problem(`${label} is \`true\`, and the server ${where} did not say which databases it has`);
		} else if (left.length === 0) {
			remarks.problem(`${label} is \`true\`, and the server ${where} has no database that allows connections`);
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
		if (known !== undefined && !known.includes(database)) {
			remarks.problem(
				`${label} must name databases of the server that allow connections, got ${quote(database)}`,
				`the server ${where} has ${quoteAll(known)}`,
			);
		}
	}

	return wanted;
}

/** What a restore keeps under this name is closed, and no part of the server's data. */
const keptByRestore = /_before_\d{8}t\d{6}-[0-9a-z]+$/;

/** A dump of the whole server is one: what nobody may connect to would be missing in it, unless a person says that it may. */
function checkWhole(
	{member: {container}, prefix, closedDatabases, remarks}: Scope,
	{format, exclude}: PostgresPolicy,
	where: string,
): void {
	if (format !== 'all') {
		return;
	}

	remarks.note(`the whole server ${where}: its roles, and every database but the templates`);
	for (const database of closedDatabases.get(container.id) ?? []) {
		if (!exclude.includes(database) && !keptByRestore.test(database)) {
			remarks.problem(
				`database ${quote(database)} of the server ${where} allows no connections, so a dump of the whole server would lack it`,
				`allow them (alter database … allow_connections true); or leave it out: \`${prefix}postgres.exclude\``,
			);
		}
	}
}

/** Where the official images keep their clusters, in every version of them. */
export const postgresHome = '/var/lib/postgresql';

/**
 * The mounts that hold nothing but what is the server's own: its data directory, its WAL, its tablespaces, or parts of them.
 * @param folders as the server says; undefined: it did not, so what lies where the official images keep them is taken for its own
 */
export function dataMounts(container: Container, folders: readonly string[] | undefined): Mount[] {
	const holding = folders?.map(folder => mountOf(folder, container));
	return container.mounts.filter(
		mount =>
			folders?.some(folder => isInside(mount.path, folder)) ||
			(isInside(mount.path, postgresHome) && (holding === undefined || holding.includes(mount))),
	);
}
