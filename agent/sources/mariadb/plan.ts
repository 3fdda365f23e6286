/** The databases of a member that are dumped. Pure. */
import {quote, quoteAll} from '../../../base/reading/quote.ts';
import type {Container, Mount} from '../../../docker/container.ts';
import {isInside, mountOf} from '../../../docker/storage.ts';
import {canAnswer} from '../answering.ts';
import type {Asked, Scope} from '../kind.ts';
import type {Claim} from '../objections.ts';
import type {PlannedSource} from '../source.ts';
import type {MariadbAnswer} from './ask.ts';
import {type Access, accessOf, type MariadbPolicy, whereOf} from './labels.ts';
import {describeLacking} from './lacking.ts';

export interface PlannedSchema extends PlannedSource {
	kind: 'mariadb';
	database: string;
	access: Access;
	/** The mounts that hold what is the server's own. */
	data?: readonly Mount[] | undefined;
	/** How long its dump waits for a lock that somebody holds. */
	lockTimeoutMs?: number | undefined;
}

type MariadbScope = Scope<MariadbPolicy | undefined, MariadbAnswer>;

export function mariadbSources(scope: MariadbScope): PlannedSchema[] {
	const {container, group, policy, answer, remarks} = scope;
	if (policy === undefined || (policy.host === undefined && !canAnswer(scope, namesOf(scope, policy)))) {
		return [];
	}

	const access = accessOf(policy, container);
	const {lockTimeoutMs = scope.lockTimeoutMs} = policy;
	const data = policy.host === undefined ? ownMounts(container, answer?.folders) : undefined;
	return databasesOf(scope, policy).map(database => {
		const loose = answer?.loose.get(database);
		if (loose !== undefined) {
			remarks.note(
				`of database ${quote(database)}, ${loose.count === 1 ? `the table ${quote(loose.table)} is` : `${loose.count} tables (such as ${quote(loose.table)}) are`} of an engine without transactions (${loose.engine}): read after the moment, as they are then; \`alter table … engine=InnoDB\` makes them part of it`,
			);
		}

		const lacking = answer?.lacking.get(database);
		if (answer !== undefined && lacking !== undefined) {
			remarks.note(`database ${quote(database)} will fail: ${describeLacking(answer.user, lacking)} (\`${lacking.grant}\`)`);
		}

		return {name: `${group}mariadb:${database}`, container, kind: 'mariadb', database, access, data, lockTimeoutMs};
	});
}

const namesOf = ({group}: MariadbScope, {databases}: MariadbPolicy): string[] =>
	(databases === 'all' ? [''] : databases.map(database => `:${database}`)).map(database => `${group}mariadb${database}`);

/** Those that are named, if the server has them; or all that it says it has. */
function databasesOf({container, prefix, answer, remarks}: MariadbScope, policy: MariadbPolicy): readonly string[] {
	const {databases: wanted, exclude} = policy;
	const label = `\`${prefix}mariadb\``;
	const where = whereOf(accessOf(policy, container), container);
	const known = answer?.databases;
	if (wanted === 'all') {
		const left = known?.filter(database => !exclude.includes(database));
		if (left === undefined) {
			remarks.problem(`${label} is \`true\`, and the server ${where} did not say which databases it has`);
		} else if (left.length === 0) {
			remarks.problem(`${label} is \`true\`, and the server ${where} has no database but its own`);
		}

		return left ?? [];
	}

	if (exclude.length > 0) {
		remarks.problem(`\`${prefix}mariadb.exclude\` is for ${label} \`true\`, got ${quoteAll(exclude)} beside names`);
	}

	for (const database of wanted) {
		if (known !== undefined && !known.includes(database)) {
			remarks.problem(`${label} must name databases of the server, got ${quote(database)}`, `the server ${where} has ${quoteAll(known)}`);
		}
	}

	return wanted;
}

/** Where the official images keep their data. */
const usual = '/var/lib/mysql';

/** Those that hold nothing but what is the server's own. @param folders as the server says; undefined: it did not */
const dataMounts = ({mounts}: Container, folders: readonly string[] = [usual]): Mount[] =>
	mounts.filter(mount => folders.some(folder => isInside(mount.path, folder)));

/** Those, and the ones that something of the server's own lies in. */
const ownMounts = (container: Container, folders: readonly string[] = []): Mount[] => [
	...new Set([
		...dataMounts(container, folders.length > 0 ? folders : undefined),
		...folders.flatMap(folder => mountOf(folder, container) ?? []),
	]),
];

/** What is the server's own is no files: whole mounts, or folders in one. */
export function claimedData({container, policy}: Asked<MariadbPolicy | undefined>, answer: MariadbAnswer | undefined): Claim[] {
	if (policy === undefined || policy.host !== undefined) {
		return [];
	}

	const folders = answer?.folders ?? [usual];
	const whole = dataMounts(container, folders);
	return [
		...whole.map(mount => ({
			mount,
			path: mount.path,
			why: 'holds the data directory or the logs of a MariaDB server that is dumped',
			isTold: true,
		})),
		...folders.flatMap(path => {
			const mount = mountOf(path, container);
			return mount === undefined || whole.includes(mount)
				? []
				: [{mount, path, why: 'is the data directory or the logs of a MariaDB server that is dumped', isTold: true}];
		}),
	];
}
