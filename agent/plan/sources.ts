/** The sources of a target: what its labels name, or what they leave to the default. */

import {quote} from '../../base/reading/quote.ts';
import {describeMounts, isSameStorage} from '../../docker/storage.ts';
import type {PlannedSource} from '../sources/kind.ts';
import type {Grounds} from '../sources/objections.ts';
import {dataMounts, postgresHome, postgresSources} from '../sources/postgres/plan.ts';
import type {Remarks} from '../sources/remarks.ts';
import type {Scope} from '../sources/scope.ts';
import {filesIn, sqliteSources} from '../sources/sqlite/plan.ts';
import {tarSources} from '../sources/tar/plan.ts';
import {chooseMounts, volumeSources} from '../sources/volume/plan.ts';
import type {Target} from '../targets/target.ts';
import {subjectOf} from '../targets/target.ts';
import type {PlanRequest} from './planned.ts';

export function planSources(
	request: Required<Pick<PlanRequest, 'target' | 'databases' | 'closedDatabases' | 'dataDirectories' | 'prefix' | 'defaults'>>,
	grounds: Omit<Grounds, 'dumped'>,
	remarks: Remarks,
): PlannedSource[] {
	const {target, databases, closedDatabases, dataDirectories, prefix, defaults} = request;
	const servers = target.members.filter(({policy: {postgres}}) => postgres !== undefined && postgres.host === undefined);
	const dumped = servers.flatMap(server => dataMounts(server.container, dataDirectories.get(server.container.id)));
	const scopes = target.members.map(
		(member): Scope => ({
			member,
			prefix,
			grounds: {...grounds, dumped},
			databases,
			closedDatabases,
			serverFolders: dataDirectories.get(member.container.id) ?? [`${postgresHome}/data`],
			lockTimeoutMs: defaults.lockTimeoutMs,
			remarks: remarks.about(subjectOf(target, member)),
		}),
	);
	const sources = scopes.flatMap(scope => sourcesOf(scope, target));
	const sqlite = sources.filter(source => source.kind === 'sqlite');
	return withoutRepeats(sources, remarks).map(source =>
		source.kind === 'volume' ? {...source, exclude: [...source.exclude, ...sqlite.flatMap(file => filesIn(source, file))]} : source,
	);
}

function sourcesOf(scope: Scope, target: Target): PlannedSource[] {
	const {member, remarks, prefix} = scope;
	const {postgres, sqlite, tar, exclude, volumes} = member.policy;
	const {container, replicas} = member;
	const named = postgres !== undefined || sqlite.length > 0 || tar.length > 0;
	const mounts = chooseMounts(scope, volumes ?? !named);
	const sources = [...postgresSources(scope, postgres), ...sqliteSources(scope), ...volumeSources(scope, mounts), ...tarSources(scope)];
	if (sources.length === 0 && !named && !Array.isArray(volumes) && target.problems.length === 0) {
		const kinds = ['postgres', 'sqlite', 'volumes', 'tar'].map(kind => `\`${prefix}${kind}\``);
		remarks.problem(
			`there is nothing to back up: ${describeMounts(container)}`,
			`name a source with ${kinds.join(', ')}, or remove \`${prefix}enable\``,
		);
	}

	if (replicas.length > 1) {
		remarks.note(`of its ${replicas.length} replicas, container \`${container.name}\` is backed up`);
	}

	if (exclude.length > 0 && mounts.length === 0) {
		remarks.note(`\`${prefix}exclude\` leaves nothing out, as no volume is backed up`);
	}

	return sources;
}

/** One storage that several members mount is one source. */
function withoutRepeats(sources: readonly PlannedSource[], remarks: Remarks): PlannedSource[] {
	const kept: PlannedSource[] = [];
	for (const source of sources) {
		const same = kept.find(earlier => isRepeat(earlier, source));
		if (kept.some(({name}) => name === source.name)) {
			remarks.problem(`the source ${quote(source.name)} is named twice`);
		} else if (same === undefined) {
			kept.push(source);
		} else {
			remarks.note(`${quote(source.name)} is the same storage as ${quote(same.name)}, and is backed up once`);
		}
	}

	return kept;
}

const isRepeat = (a: PlannedSource, b: PlannedSource): boolean =>
	a.kind === 'volume' && b.kind === 'volume' && isSameStorage(a.mount, b.mount) && a.exclude.join('\0') === b.exclude.join('\0');
