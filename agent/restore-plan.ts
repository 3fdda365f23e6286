/** A point and a target → what a restore will do. Pure and printable: it is shown before anything is touched. */

import {isOneOff} from '../docker/compose.ts';
import {type Container, workerLabel} from '../docker/container.ts';
import type {Member, Target} from '../docker/discovery.ts';
import type {Manifest, ManifestSource} from './manifest.ts';
import {dependentsFirst} from './plan/order.ts';
import {servicesOf} from './plan/quiesce.ts';
import {describeStorage, mountOf, sharesStorage} from './plan/storage.ts';
import type {PlannedSource} from './plan.ts';
import type {Point} from './points.ts';
import {parseSource} from './sources/names.ts';
import type {RestoringSource} from './sources/restoring.ts';

export interface Restoration {
	target: string;
	point: Point;
	/** In the order of restoring: files before the databases that lie among them. */
	sources: readonly RestoringSource[];
	/** Stopped meanwhile, in this order. Started again in the reverse one. */
	stop: ReadonlyArray<{container: Container; action: 'stop'; reason: string}>;
	/** What a person should know before. */
	warnings: readonly string[];
}

export interface RestorationRequest {
	target: Target;
	/** All of the engine. */
	containers: readonly Container[];
	point: Point;
	manifest: Manifest;
	/** Empty: all sources of the point. */
	only: readonly string[];
	/** The agent's own container: never stopped. */
	self: string | undefined;
}

const order = {volume: 0, tar: 1, sqlite: 2, postgres: 3};

/** With any problem nothing may be restored. */
export function planRestoration(request: RestorationRequest): {restoration: Restoration; problems: readonly string[]} {
	const {target, point, manifest, only} = request;
	const problems = target.problems.map(({message}) => message);
	const unknown = only.filter(name => !manifest.sources.some(({source}) => source === name));
	if (unknown.length > 0) {
		const has = manifest.sources.map(({source}) => source).join(', ');
		problems.push(...unknown.map(name => `point \`${point.id}\` has no source \`${name}\`; it has ${has}`));
	}

	const sources: RestoringSource[] = [];
	for (const stored of manifest.sources.filter(({source}) => only.length === 0 || only.includes(source))) {
		const found = locate(target, stored);
		if (typeof found === 'string') {
			problems.push(found);
		} else {
			sources.push(found);
		}
	}

	sources.sort((a, b) => order[a.kind] - order[b.kind]);
	const {stop, ...stops} = planStops(request, sources);
	const left = manifest.sources.length - sources.length;
	const {restoreWarning} = target.policy;
	const warnings = [
		...(restoreWarning === undefined ? [] : [restoreWarning]),

		...(problems.length === 0 && left > 0
			? [`${left} of the point's sources are left as they are: what is restored may not fit them`]
			: []),
		...stops.warnings,
	];
	return {restoration: {target: target.name, point, sources, stop, warnings}, problems: [...problems, ...stops.problems]};
}

/** Where a source of the point belongs now; or why it belongs nowhere. */
function locate(target: Target, stored: ManifestSource): RestoringSource | string {
	const planned = placeOf(target, stored);
	if (typeof planned === 'string') {
		return planned;
	}

	const {restoreBeforeSql: beforeSql, restoreAfterSql: afterSql} = memberOf(target, stored.source)?.policy.postgres ?? {};
	return {...planned, stored, beforeSql, afterSql};
}

const memberOf = ({members}: Target, source: string): Member | undefined =>
	members.find(({prefix}) => prefix === parseSource(source).prefix);

function placeOf(
	target: Target,
	{source: name, kind, details}: Pick<ManifestSource, 'source' | 'kind' | 'details'>,
): PlannedSource | string {
	const {prefix, name: subject} = parseSource(name);
	const member = memberOf(target, name);
	if (member === undefined) {
		return `\`${name}\`: target \`${target.name}\` has no service \`${prefix.replace(/\/$/, '')}\``;
	}

	const {container, policy} = member;
	switch (kind) {
		case 'postgres': {
			const format = details.format === 'plain' ? 'plain' : 'custom';
			return {name, container, kind, database: subject, format, user: policy.postgres?.user};
		}

		case 'sqlite': {
			const mount = mountOf(subject, container);
			return mount === undefined
				? `\`${name}\`: container \`${container.name}\` has no mount that holds ${subject}`
				: {name, container, kind, path: subject, mount};
		}

		case 'volume': {
			const mount = container.mounts.find(({path}) => path === subject);
			const exclude = Array.isArray(details.exclude) ? details.exclude.map(String) : [];
			return mount === undefined
				? `\`${name}\`: container \`${container.name}\` has no mount at ${subject}`
				: {name, container, kind, mount, exclude};
		}

		case 'tar':
			return {name, container, kind, path: subject};
	}
}

export interface UndoPlan {
	/** By source: where what was replaced belongs now. */
	containers: ReadonlyMap<string, Container>;
	stop: Restoration['stop'];
	problems: readonly string[];
}

/** What stands still while a restore is undone. */
export function planUndo(
	request: Pick<RestorationRequest, 'target' | 'containers' | 'self'>,
	replacements: ReadonlyArray<Pick<ManifestSource, 'source' | 'kind'>>,
): UndoPlan {
	const places = replacements.map(({source, kind}) => placeOf(request.target, {source, kind, details: {}}));
	const sources = places.filter(place => typeof place !== 'string');
	const {stop, problems} = planStops(request, sources);
	return {
		containers: new Map(sources.map(({name, container}) => [name, container])),
		stop,
		problems: [...places.filter(place => typeof place === 'string'), ...problems],
	};
}

interface Stops {
	stop: Restoration['stop'];
	warnings: string[];
	problems: string[];
}

function planStops(
	{target, containers, self}: Pick<RestorationRequest, 'target' | 'containers' | 'self'>,
	sources: readonly PlannedSource[],
): Stops {
	const servers = new Set(sources.flatMap(({kind, container}) => (kind === 'postgres' ? [container.id] : [])));
	const reasons = new Map<string, string>();
	const warnings: string[] = [];
	const problems: string[] = [];
	const wish = ({id}: Container, reason: string) => reasons.set(id, reasons.get(id) ?? reason);
	for (const member of target.members.filter(({container}) => sources.some(source => source.container.id === container.id))) {
		const own = sources.filter(({container}) => container.id === member.container.id);
		const wanted =
			member.policy.restoreStop?.flatMap(service => servicesOf(target, containers, service)) ?? dependentsOf(member.container, containers);
		for (const container of wanted) {
			wish(container, member.policy.restoreStop === undefined ? `depends on ${member.service}` : 'restore.stop');
		}

		if (own.some(({kind}) => kind !== 'postgres')) {
			for (const container of member.replicas) {
				wish(container, 'its files are restored');
			}
		}

		for (const source of own) {
			if ('mount' in source) {
				for (const other of containers.filter(
					({id, mounts}) => id !== member.container.id && mounts.some(theirs => theirs.readWrite && sharesStorage(theirs, source.mount)),
				)) {
					if (target.project !== undefined && other.project === target.project) {
						wish(other, `mounts the ${describeStorage(source.mount)} read-write`);
					} else if (other.id !== self && other.labels[workerLabel] === undefined && other.state === 'running') {
						warnings.push(
							`container \`${other.name}\`, which is not of this project, also writes to the ${describeStorage(source.mount)}; it is not stopped`,
						);
					}
				}
			}
		}
	}

	const chosen = containers.filter(container => {
		const {id, state, name, labels} = container;
		if (!reasons.has(id) || id === self || labels[workerLabel] !== undefined || isOneOff(labels)) {
			return false;
		}

		if (servers.has(id)) {
			if (sources.some(source => source.container.id === id && source.kind !== 'postgres')) {
				warnings.push(`container \`${name}\` runs on while its files are restored, because its databases are restored too`);
			}

			return false;
		}

		if (state === 'paused') {
			problems.push(
				`container \`${name}\` is paused by somebody else, and would go on with what it remembers: \`docker unpause ${name}\` or \`docker stop ${name}\` first`,
			);
		}

		return state === 'running' || state === 'restarting';
	});
	const stop = dependentsFirst(chosen, containers).map(container => ({
		container,
		action: 'stop' as const,
		reason: reasons.get(container.id) ?? '',
	}));
	return {stop, warnings: [...new Set(warnings)], problems};
}

/** Containers of the project that need the service, directly or not. */
function dependentsOf({project, service}: Container, containers: readonly Container[]): Container[] {
	const needing = new Set(service === undefined ? [] : [service]);
	const siblings = containers.filter(container => project !== undefined && container.project === project);
	for (let size = 0; size !== needing.size; ) {
		size = needing.size;
		for (const {service: name, dependsOn} of siblings) {
			if (name !== undefined && dependsOn.some(dependency => needing.has(dependency))) {
				needing.add(name);
			}
		}
	}

	return siblings.filter(container => container.service !== service && needing.has(container.service ?? ''));
}
