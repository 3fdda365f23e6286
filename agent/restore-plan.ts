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
import {quote} from './reading/quote.ts';
import {isWhole} from './reading/reader.ts';
import {parseSource} from './sources/names.ts';
import type {Replacement, RestoringSource} from './sources/restoring.ts';

export interface Restoration {
	target: string;
	point: Point;
	/** In the order of restoring: files before the databases that lie among them. */
	sources: readonly RestoringSource[];
	/** Stopped meanwhile, in this order. Started again in the reverse one. */
	stop: ReadonlyArray<{container: Container; action: 'stop'; reason: string}>;
	/** The name of the new database, where nothing is replaced. */
	into?: string | undefined;
	/** What a person should know before. */
	warnings: readonly string[];
	/** Of the warnings, the one that must be acknowledged: the label's. */
	acknowledge?: string | undefined;
}

export interface RestorationRequest {
	target: Target;
	/** All of the engine. */
	containers: readonly Container[];
	point: Point;
	manifest: Manifest;
	/** Empty: all sources of the point. */
	only: readonly string[];
	into?: string | undefined;
	/** The point may be another target's. */
	forceTarget?: boolean | undefined;
	/** The agent's own container: never stopped. */
	self: string | undefined;
}

const order = {volume: 0, tar: 1, sqlite: 2, postgres: 3};

/** With any problem nothing may be restored. */
export function planRestoration(request: RestorationRequest): {restoration: Restoration; problems: readonly string[]} {
	const {target, point, manifest, only, into} = request;
	const problems = target.problems.map(({message}) => message);
	const unknown = only.filter(name => !manifest.sources.some(({source}) => source === name));
	if (unknown.length > 0) {
		const has = manifest.sources.map(({source}) => source).join(', ');
		problems.push(...unknown.map(name => `point \`${point.id}\` has no source \`${name}\`; it has ${has}`));
	}

	const sources: RestoringSource[] = [];
	for (const stored of manifest.sources.filter(({source}) => only.length === 0 || only.includes(source))) {
		const found = locate(request, stored);
		if (typeof found === 'string') {
			problems.push(found);
		} else {
			sources.push(found);
		}
	}

	sources.sort((a, b) => order[a.kind] - order[b.kind]);
	const {stop, ...stops} = planStops(request, into === undefined ? sources : []);
	const left = into === undefined && problems.length === 0 ? manifest.sources.length - sources.length : 0;
	const {restoreWarning: acknowledge} = target.policy;
	const warnings = [
		...(acknowledge === undefined ? [] : [acknowledge]),
		...(isForeign(request) ? [`point \`${point.id}\` is of target \`${point.target}\`, and is put into \`${target.name}\``] : []),
		...(left > 0 ? [`${left} of the point's sources are left as they are: what is restored may not fit them`] : []),
		...importWarning(manifest),
		...stops.warnings,
	];
	return {
		restoration: {target: target.name, point, sources, stop, into, warnings, acknowledge},
		problems: [...foreignProblems(request), ...problems, ...intoProblems(into, sources), ...stops.problems],
	};
}

const isForeign = ({target, point}: RestorationRequest): boolean => point.target !== target.name;

const foreignProblems = (request: RestorationRequest): string[] =>
	isForeign(request) && request.forceTarget !== true
		? [`the point is of target \`${request.point.target}\`, not of \`${request.target.name}\` (--force-target restores it all the same)`]
		: [];

/** PostgreSQL cuts longer names off. */
const longestDatabaseName = 63;

function intoProblems(into: string | undefined, sources: readonly RestoringSource[]): string[] {
	if (into === undefined) {
		return [];
	}

	const isName = into !== '' && Buffer.byteLength(into) <= longestDatabaseName && isWhole(into);
	const names = sources.map(({name}) => name).join(', ');
	return [
		...(isName ? [] : [`the new database must have a name of 1 to ${longestDatabaseName} bytes, got ${quote(into)}`]),
		...(sources.length === 1 && sources[0]?.kind === 'postgres'
			? []
			: [`only one Postgres database can be restored under another name, and this is ${names}: choose one with --only`]),
	];
}

const importWarning = ({origin}: Manifest): string[] =>
	origin === undefined
		? []
		: [
				`the point was imported from ${quote(origin.file)} on ${origin.importedAt.slice(0, 10)}: a dump of database ${quote(origin.database)}${origin.dumpedAt === null ? '' : ` of ${origin.dumpedAt.slice(0, 10)}`}, not a backup of this target`,
			];

/** Where a source of the point belongs now; or why it belongs nowhere. */
function locate(request: RestorationRequest, stored: ManifestSource): RestoringSource | string {
	const {target, into} = request;
	const planned = isForeign(request) ? placeOfForeign(target, stored) : placeOf(target, stored);
	if (typeof planned === 'string') {
		return planned;
	}

	const {restoreBeforeSql: beforeSql, restoreAfterSql: afterSql} = memberOf(target, planned.name)?.policy.postgres ?? {};
	return {...planned, stored, beforeSql, afterSql, into};
}

/** A source of another target: where the same kind and name belongs here, in the service of the same name if there is one. */
function placeOfForeign(target: Target, stored: ManifestSource): PlannedSource | string {
	const {prefix, name} = parseSource(stored.source);
	const found = target.members.flatMap(member => {
		const here = placeOf(target, {...stored, source: `${member.prefix}${stored.kind}:${name}`});
		return typeof here === 'string' || !isWanted(member, stored.kind) ? [] : [{prefix: member.prefix, here}];
	});
	const place = found.length > 1 ? found.find(one => one.prefix === prefix) : found[0];
	return (
		place?.here ??
		`\`${stored.source}\`: target \`${target.name}\` has ${found.length === 0 ? 'no' : 'more than one'} place for \`${stored.kind}:${name}\``
	);
}

/** Any container could take a path or a database; only those whose labels say so are meant. */
function isWanted({policy}: Member, kind: ManifestSource['kind']): boolean {
	switch (kind) {
		case 'postgres':
			return policy.postgres !== undefined;
		case 'tar':
			return policy.tar.length > 0;
		default:
			return true;
	}
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
	replacements: ReadonlyArray<Pick<Replacement, 'source' | 'kind'> & {beside?: boolean | undefined}>,
): UndoPlan {
	const places = replacements.map(({source, kind}) => placeOf(request.target, {source, kind, details: {}}));
	const sources = places.filter(place => typeof place !== 'string');
	// Nobody is known to use what was restored beside the live database.
	const isBeside = replacements.some(({beside}) => beside);
	const {stop, problems} = planStops(request, isBeside ? [] : sources);
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

type Scope = Pick<RestorationRequest, 'target' | 'containers' | 'self'> & {sources: readonly PlannedSource[]};

interface Wish {
	container: Container;
	reason: string;
}

function planStops(request: Pick<RestorationRequest, 'target' | 'containers' | 'self'>, sources: readonly PlannedSource[]): Stops {
	const scope: Scope = {...request, sources};
	const {target, containers} = scope;
	const concerned = target.members.filter(({container}) => sources.some(source => source.container.id === container.id));
	const warnings: string[] = [];
	const wishes = concerned.flatMap(member => [...needing(scope, member), ...owning(scope, member), ...sharing(scope, member, warnings)]);
	const reasons = new Map(wishes.toReversed().map(({container, reason}) => [container.id, reason]));
	const chosen = containers.filter(({id}) => reasons.has(id)).filter(container => isStoppable(scope, container, warnings));
	const paused = chosen.filter(({state}) => state === 'paused').map(({name}) => name);
	const running = chosen.filter(({state}) => state === 'running' || state === 'restarting');
	const stop = dependentsFirst(running, containers).map(container => ({
		container,
		action: 'stop' as const,
		reason: reasons.get(container.id) ?? '',
	}));
	return {stop, warnings: [...new Set(warnings)], problems: paused.map(pausedProblem)};
}

const pausedProblem = (name: string): string =>
	`container \`${name}\` is paused by somebody else, and would go on with what it remembers: \`docker unpause ${name}\` or \`docker stop ${name}\` first`;

/** Those that the label names; or those that depend on the service. */
function needing({target, containers}: Scope, {policy, container, service}: Member): Wish[] {
	return policy.restoreStop === undefined
		? dependentsOf(container, containers).map(dependent => ({container: dependent, reason: `depends on ${service}`}))
		: policy.restoreStop.flatMap(name => servicesOf(target, containers, name)).map(named => ({container: named, reason: 'restore.stop'}));
}

const ofMember = ({sources}: Scope, {container}: Member) => sources.filter(source => source.container.id === container.id);

function owning(scope: Scope, member: Member): Wish[] {
	return ofMember(scope, member).some(({kind}) => kind !== 'postgres')
		? member.replicas.map(container => ({container, reason: 'its files are restored'}))
		: [];
}

/** Whoever else writes to the storage: stopped within the project, a warning outside it. */
function sharing(scope: Scope, member: Member, warnings: string[]): Wish[] {
	const {target, containers, self} = scope;
	return ofMember(scope, member).flatMap(source => {
		const {mount} = 'mount' in source ? source : {};
		const others = containers.filter(
			({id, mounts}) =>
				id !== member.container.id && mount !== undefined && mounts.some(theirs => theirs.readWrite && sharesStorage(theirs, mount)),
		);
		const storage = mount === undefined ? '' : describeStorage(mount);
		return others.flatMap(container => {
			if (target.project !== undefined && container.project === target.project) {
				return [{container, reason: `mounts the ${storage} read-write`}];
			}

			if (container.id !== self && container.labels[workerLabel] === undefined && container.state === 'running') {
				warnings.push(`container \`${container.name}\`, which is not of this project, also writes to the ${storage}; it is not stopped`);
			}

			return [];
		});
	});
}

/** Holdfast itself goes on, and so does a server whose databases are restored. */
function isStoppable({self, sources}: Scope, {id, name, labels}: Container, warnings: string[]): boolean {
	const kinds = sources.filter(({container}) => container.id === id).map(({kind}) => kind);
	if (!kinds.includes('postgres')) {
		return id !== self && labels[workerLabel] === undefined && !isOneOff(labels);
	}

	if (kinds.some(kind => kind !== 'postgres')) {
		warnings.push(`container \`${name}\` runs on while its files are restored, because its databases are restored too`);
	}

	return false;
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
