/** The databases of a member that are dumped. */
import type {PostgresPolicy} from '../../docker/labels.ts';
import type {PlannedSource} from '../plan.ts';
import {quote, quoteAll} from '../reading/quote.ts';
import type {Scope} from './scope.ts';

export function postgresSources(scope: Scope, postgres: PostgresPolicy | undefined): PlannedSource[] {
	const {container, prefix: group} = scope.member;
	if (postgres === undefined || !canBeDumped(scope, postgres)) {
		return [];
	}

	const {user, format} = postgres;
	return databasesOf(scope, postgres.databases).map(database => ({
		name: `${group}postgres:${database}`,
		container,
		kind: 'postgres',
		database,
		format: format === 'plain' ? 'plain' : 'custom',
		user,
	}));
}

function canBeDumped({member: {container}, prefix, remarks}: Scope, {host, port, passwordSecret, format}: PostgresPolicy): boolean {
	const label = `${prefix}postgres`;
	const external = Object.entries({host, port, 'password-secret': passwordSecret}).find(([, value]) => value !== undefined);
	if (external !== undefined) {
		remarks.problem(
			`\`${label}.${external[0]}\` names a server outside the container, and this version does not back up those, got ${quote(String(external[1]))}`,
			'label the container that the server runs in',
		);
	}

	if (format === 'all') {
		remarks.problem(
			`\`${label}.format\` asks for a dump of the whole server, and this version does not make those, got "all"`,
			`\`${label}=true\` dumps every database by itself`,
		);
	}

	const running = container.state === 'running';
	if (!running) {
		const mend = container.state === 'paused' ? `unpause it: docker unpause ${container.name}` : `start it: docker start ${container.name}`;
		const why = container.state === 'paused' ? 'is paused by somebody else' : `is not running (${container.state})`;
		remarks.problem(`\`${label}\` needs a server that answers, and container \`${container.name}\` ${why}`, `${mend}; or remove the label`);
	}

	return external === undefined && format !== 'all' && running;
}

/** Those that are named, if the server has them; or all that it says it has. */
function databasesOf({member: {container}, prefix, databases, remarks}: Scope, wanted: PostgresPolicy['databases']): readonly string[] {
	const known = databases.get(container.id);
	const label = `\`${prefix}postgres\``;
	if (wanted === 'all') {
		if (known === undefined) {
			remarks.problem(`${label} is \`true\`, and the server in container \`${container.name}\` did not say which databases it has`);
		} else if (known.length === 0) {
			remarks.problem(`${label} is \`true\`, and the server in container \`${container.name}\` has no database that allows connections`);
		}

		return known ?? [];
	}

	for (const database of wanted) {
		if (known !== undefined && !known.includes(database)) {
			remarks.problem(
				`${label} must name databases of the server that allow connections, got ${quote(database)}`,
				`the server in container \`${container.name}\` has ${quoteAll(known)}`,
			);
		}
	}

	return wanted;
}
