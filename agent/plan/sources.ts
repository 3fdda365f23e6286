/** The sources of a target: what its labels name, or what they leave to the default. */

import {quote} from '../../base/reading/quote.ts';
import {describeMounts, describeStorage, isInside, mountOf} from '../../docker/storage.ts';
import {dataMounts, type Grounds, objectionTo, postgresHome} from '../sources/objections.ts';
import {postgresSources} from '../sources/postgres/plan.ts';
import type {Remarks} from '../sources/remarks.ts';
import {type Scope, subjectOf} from '../sources/scope.ts';
import {chooseMounts, filesIn, volumeSources, withoutRepeats} from '../sources/volume/plan.ts';
import type {Member, Target} from '../targets/discovery.ts';
import type {PlannedSource, PlanRequest} from './plan.ts';

export function planSources(
	request: Required<Pick<PlanRequest, 'target' | 'databases' | 'closedDatabases' | 'dataDirectories' | 'prefix'>>,
	grounds: Omit<Grounds, 'dumped'>,
	remarks: Remarks,
): PlannedSource[] {
	const {target, databases, closedDatabases, dataDirectories, prefix} = request;
	const dataDirectory = ({container}: Member) => dataDirectories.get(container.id) ?? `${postgresHome}/data`;
	const servers = target.members.filter(({policy: {postgres}}) => postgres !== undefined && postgres.host === undefined);
	const dumped = servers.flatMap(server => dataMounts(server.container, dataDirectory(server)));
	const scopes = target.members.map(
		(member): Scope => ({
			member,
			prefix,
			grounds: {...grounds, dumped},
			databases,
			closedDatabases,
			dataDirectory: dataDirectory(member),
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

function sqliteSources({member, grounds, prefix, remarks}: Scope): PlannedSource[] {
	const {container, policy, prefix: group} = member;
	return policy.sqlite.flatMap((path): PlannedSource[] => {
		const mount = mountOf(path, container);
		const label = `\`${prefix}sqlite\``;
		if (mount === undefined) {
			remarks.problem(`${label} must name files in a mount, and ${quote(path)} is outside every mount: ${describeMounts(container)}`);
			return [];
		}

		if (mount.path === path) {
			remarks.problem(
				`${label} must name files in a mounted folder, and ${quote(path)} is mounted by itself, so its \`-wal\` is elsewhere and would be lost`,
				'mount the folder that the database is in',
			);
			return [];
		}

		const objection = objectionTo(mount, grounds);
		if (objection !== undefined) {
			remarks.problem(`${label} must not reach into the mount ${quote(mount.path)}: it ${objection.why}, got ${quote(path)}`);
			return [];
		}

		return [{name: `${group}sqlite:${path}`, container, kind: 'sqlite', path, mount}];
	});
}

function tarSources({member: {container, policy, prefix: group}, prefix, remarks}: Scope): PlannedSource[] {
	return policy.tar.flatMap((path): PlannedSource[] => {
		const mount = mountOf(path, container);
		if (mount !== undefined) {
			remarks.problem(
				`\`${prefix}tar\` must name paths on the container's own file system, and ${quote(path)} is in the mount ${quote(mount.path)} (${describeStorage(mount)})`,
				`use \`${prefix}volumes\``,
			);
			return [];
		}

		const kernel = ['/proc', '/sys', '/dev'].find(folder => isInside(path, folder));
		if (kernel !== undefined) {
			remarks.problem(`\`${prefix}tar\` must name files, and ${quote(path)} is of the kernel's ${kernel}`);
			return [];
		}

		return [{name: `${group}tar:${path}`, container, kind: 'tar', path}];
	});
}
