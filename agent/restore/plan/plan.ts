/** A point and a target → what a restore will do. Pure and printable: it is shown before anything is touched. */

import {label} from '../../../base/label.ts';
import {quote} from '../../../base/reading/quote.ts';
import {lackOf} from '../../../base/results.ts';
import {isUp, workerLabel} from '../../../docker/container.ts';
import {hostFolderOf, shownIn} from '../../../docker/storage.ts';
import {outageLimitOf} from '../../plan/plan.ts';
import type {PlannedHook} from '../../plan/planned.ts';
import {questionsOf} from '../../plan/questions.ts';
import {unseenNote} from '../../plan/survey.ts';
import {isForeign as isForeignSnapshot} from '../../repository/foreign.ts';
import type {Manifest} from '../../repository/manifest.ts';
import type {Point} from '../../repository/points.ts';
import type {Kind} from '../../sources/kind.ts';
import {kindOf, kinds} from '../../sources/kinds.ts';
import type {RestoringSource} from '../../sources/restoring.ts';
import {askedOf, type Target} from '../../targets/target.ts';
import {type Chosen, choose} from './choice.ts';
import {planHooks} from './hooks.ts';
import {memberOf, placeOf, placeOfForeign, serviceOf} from './places.ts';
import {withinReach} from './reach.ts';
import {planStops, type Stops, type Surroundings} from './stops.ts';

export interface Restoration {
	/** Or the project, when all of its targets are restored together. */
	target: string;
	/** One of each target. */
	points: readonly [Point, ...Point[]];
	/** In the order of restoring: files before the databases that lie among them. */
	sources: readonly RestoringSource[];
	/** Whether it is known which of them are written in place. Else the run finds out. */
	isDecided?: boolean;
	/** Stopped meanwhile. */
	stop: Stops['stop'];
	/** Longest time that all of them together get to stop; then they are killed. */
	stopLimitMs: number;
	/** Run before the first is stopped, and after all are started. */
	hooks: readonly PlannedHook[];
	/** The name of the new database, where nothing is replaced. */
	into?: string | undefined;
	/** What a person should know before. */
	warnings: readonly string[];
	/** Of the warnings, those that must be acknowledged, a line each: the labels', and that more is written than the target may write itself. */
	acknowledge?: string | undefined;
}

export interface RestorationRequest extends Surroundings {
	/** The engine's own folder on the host. */
	dataRoot?: string;
	target: Target;
	point: Point;
	manifest: Manifest;
	/** Empty: all sources of the point. A source, or a path of a volume behind its source: `volume:/data/uploads/a.png`. */
	only: readonly string[];
	/** Of the single files in `only`: those that are not there now. Where nothing is replaced, nobody need stand still. */
	missing?: ReadonlySet<string> | undefined;
	into?: string | undefined;
	/** The point may be another target's. */
	forceTarget?: boolean | undefined;
	/** What the label `drill.sql` asks is not asked. */
	skipDrillSql?: boolean | undefined;
	/** The point is this agent's own. */
	isOurs: boolean;
	/** Why folders of the host are told apart by their paths alone, where they are. */
	unseen?: string | undefined;
}

/** Files before the databases that lie among them. */
export const inOrder = (sources: readonly RestoringSource[]): RestoringSource[] =>
	sources.toSorted((a, b) => kindOf(a.kind).rank - kindOf(b.kind).rank);

const linesOf = (acknowledge: string | undefined): string[] => acknowledge?.split('\n') ?? [];

/** What must be acknowledged of a plan, and was not when it was asked for: a repository may have gone since, or somebody have begun to write. */
export const cameUpSince = (asked: Pick<Restoration, 'acknowledge'>, now: Pick<Restoration, 'acknowledge'>): string[] => {
	const known = linesOf(asked.acknowledge);
	return linesOf(now.acknowledge).filter(line => !known.includes(line));
};

/** With any problem nothing may be restored. */
export function planRestoration(request: RestorationRequest): {restoration: Restoration; problems: readonly string[]} {
	const {target, point, manifest, only, into, missing = new Set()} = request;
	const {chosen, unknown} = choose(manifest, only);
	const has = manifest.sources.map(({source}) => source).join(', ');
	const {located, apart} = apartFrom(
		request,
		chosen.map(each => ({source: each.stored.source, place: locate(request, each)})),
	);
	const placed = located.filter(source => typeof source !== 'string');
	const {written, ...reach} = withinReach(placed, request);
	const questions = askedSources(request, written);
	const sources = written.map(source => ({...source, drillSql: questions.get(source.name)}));
	const problems = [
		...target.problems.map(({message}) => message),
		...unknown.map(name => `point \`${point.id}\` has no source \`${name}\`; it has ${has}`),
		...located.filter(problem => typeof problem === 'string'),
		...reach.problems,
	];
	const replacing = into === undefined ? sources.filter(source => replaces(source, missing)) : [];
	const {stop, ...stops} = planStops([target], request, replacing);
	const {hooks, ...unheard} = planHooks(replacing.length > 0 ? [target] : [], stop);
	const whole = sources.filter(({paths}) => paths === undefined).length;
	const left = into === undefined && problems.length === 0 ? manifest.sources.length - whole : 0;
	const {restoreWarning} = target.policy;
	const acknowledge = [
		...(restoreWarning === undefined ? [] : [restoreWarning]),
		...reach.acknowledge,
		...replacing.flatMap(source => exclusionWarnings(source, target)),
		...stops.acknowledge,
	];
	const warnings = [
		...acknowledge,
		...reach.warnings,
		...(request.isOurs
			? []
			: isForeignSnapshot(point.id)
				? [
						`\`${point.id}\` was made by another program on host \`${point.host}\` at ${point.time.toISOString()}: nobody here knows whether it is whole, or of one moment`,
					]
				: [
						`point \`${point.id}\` is not of this agent: ${point.agent === null ? 'one that had no id yet' : `agent ${point.agent}`} filed it on host \`${point.host}\``,
					]),
		...written.filter(isElsewhere).map(({name, stored}) => `\`${stored.source}\` is put where its volume is mounted now: \`${name}\``),
		...(isMoved(point) ? [`point \`${point.id}\` was filed as \`${point.filedAs}\``] : []),
		...(isForeign(request) ? [`point \`${point.id}\` is of target \`${point.target}\`, and is put into \`${target.name}\``] : []),
		...apart,
		...(left > 0 ? [`${left} of the point's sources are left as they are: what is restored may not fit them`] : []),
		...replicaWarnings(request, sources),
		...(request.unseen === undefined || !sources.some(isOfHost) ? [] : [unseenNote(request.unseen)]),
		...importWarning(manifest),
		...absentWarning(manifest, only),
		...(request.skipDrillSql ? [`the query of the label \`${label('drill.sql')}\` is not asked`] : []),
		...stops.warnings,
		...unheard.warnings,
	];
	return {
		restoration: {
			target: target.name,
			points: [point],
			sources: inOrder(sources).map(source => ({...source, inPlace: whyInSight(source, stop, request)})),
			stop,
			stopLimitMs: outageLimitOf(target),
			hooks,
			into,
			warnings,
			acknowledge: acknowledge.join('\n') || undefined,
		},
		problems: [...foreignProblems(request), ...problems, ...intoProblems(into, sources), ...stops.problems],
	};
}

/** Its volume is mounted at another path than the point has. */
const isElsewhere = ({kind, mount, stored}: Pick<RestoringSource, 'kind' | 'mount' | 'stored'>): boolean =>
	kindOf(kind).isTree && mount !== undefined && typeof stored.details.path === 'string' && mount.path !== stored.details.path;

/** Whoever leaves it out may have it nowhere else. What single paths replace is named by the person. */
function exclusionWarnings(source: RestoringSource, target: Target): string[] {
	const member = memberOf(target, source.name);
	const kind = kindOf(source.kind);
	const patterns =
		member === undefined || source.paths !== undefined ? [] : (kind.leftOutSince?.(source, askedOf(member, kind).policy) ?? []);
	return patterns.length === 0
		? []
		: [
				`\`${target.name} ${source.name}\`: ${patterns.map(quote).join(', ')} ${patterns.length === 1 ? 'is' : 'are'} left out of backups now (\`${label('exclude')}\`), and ${patterns.length === 1 ? 'was' : 'were'} not when the point was made: what is there now is in no point, and gives way to what the point has; to keep it, restore the rest by its paths (--only ${source.name}/PATH)`,
			];
}

/** Files that are all missing now replace nothing. */
const replaces = ({stored, paths, kind, mount}: RestoringSource, missing: ReadonlySet<string>): boolean =>
	paths === undefined || isElsewhere({kind, mount, stored}) || paths.some(path => !missing.has(stored.source + path));

/** Who is not stopped would go on with what a rename took away: what it has open, or the file or folder that it mounts. Who sees it from further above finds what is new. */
function whyInSight({mount, kind, paths}: RestoringSource, stop: Stops['stop'], {containers, self}: Surroundings): string | undefined {
	if (mount === undefined || kindOf(kind).whyInPlace === undefined || paths !== undefined) {
		return undefined;
	}

	const onlooker = containers.find(
		({id, state, labels, mounts}) =>
			isUp({state}) &&
			labels[workerLabel] === undefined &&
			!stop.some(({container}) => container.id === id) &&
			mounts.some(theirs => {
				const place = shownIn(mount, theirs, theirs.path);
				return place !== undefined && (place !== '' || theirs.readWrite);
			}),
	);
	return onlooker === undefined
		? undefined
		: onlooker.id === self
			? "folders of Holdfast's own are in it, and must not be moved"
			: `container \`${onlooker.name}\` uses it and is not stopped`;
}

const isForeign = ({target, point}: RestorationRequest): boolean => point.target !== target.name;

/** Since then the target was given another name, or services were taken out of a group. */
const isMoved = ({target, filedAs}: Point): boolean => target !== filedAs;

interface Located {
	/** As the point has it. */
	source: string;
	place: RestoringSource | string;
}

/** Of a group that was split, what several services had at one path would come to one place: each service takes its own. */
function apartFrom(
	{target, point}: RestorationRequest,
	all: readonly Located[],
): {located: Array<RestoringSource | string>; apart: string[]} {
	const located: Array<RestoringSource | string> = [];
	const apart: string[] = [];
	for (const {source, place} of all) {
		const rivals = typeof place === 'string' ? [] : all.filter(other => typeof other.place !== 'string' && other.place.name === place.name);
		if (rivals.length < 2) {
			located.push(place);
			continue;
		}

		const services = target.members.map(({service}) => service);
		const own = rivals.filter(rival => services.includes(serviceOf(rival.source, point.filedAs)));
		const names = rivals.map(rival => `\`${rival.source}\``).join(' and ');
		if (own.length !== 1) {
			located.push(`${names} belong at one place of \`${target.name}\`: choose one with --only`);
		} else if (own[0]?.source === source) {
			located.push(place);
		} else {
			apart.push(`\`${source}\` is left out: service \`${serviceOf(source, point.filedAs)}\` is not of \`${target.name}\``);
		}
	}

	return {located, apart};
}

const foreignProblems = (request: RestorationRequest): string[] =>
	isForeign(request) && request.forceTarget !== true
		? [`the point is of target \`${request.point.target}\`, not of \`${request.target.name}\` (--force-target restores it all the same)`]
		: [];

function intoProblems(into: string | undefined, sources: readonly RestoringSource[]): string[] {
	if (into === undefined) {
		return [];
	}

	const names = sources.map(({name}) => name).join(', ');
	const nameable = ({nameProblem}: Kind) => nameProblem !== undefined;
	const present = sources.map(({kind}) => kindOf(kind)).filter(nameable);
	const titles = [...new Set((present.length > 0 ? present : kinds.filter(nameable)).map(({title}) => title))];
	return [
		...new Set(sources.flatMap(({kind}) => kindOf(kind).nameProblem?.(into) ?? [])),
		...(sources.length === 1 && sources.every(({kind}) => kindOf(kind).nameProblem !== undefined)
			? []
			: [`only one ${titles.join(' or ')} database can be restored under another name, and this is ${names}: choose one with --only`]),
	];
}

const isOfHost = ({mount}: RestoringSource): boolean => mount !== undefined && hostFolderOf(mount) !== undefined;

/** What lies in a container's own file system is each replica's own. */
const replicaWarnings = ({target}: RestorationRequest, sources: readonly RestoringSource[]): string[] =>
	sources.flatMap(({name, kind, mount, container}) => {
		const replicas = memberOf(target, name)?.replicas ?? [];
		return replicas.length > 1 && mount === undefined && !kindOf(kind).isServed && !kindOf(kind).isDatabase
			? [
					`\`${name}\` is put into container \`${container.name}\` alone; the other ${replicas.length - 1} of its replicas keep what they have`,
				]
			: [];
	});

/** The rest of the point is of another moment than what is left as it is. */
const absentWarning = (manifest: Manifest, only: readonly string[]): string[] => {
	const lack = lackOf(manifest);
	return lack === undefined || only.length > 0 ? [] : [`the point was made ${lack}`];
};

const importWarning = ({origin}: Manifest): string[] =>
	origin === undefined
		? []
		: [
				`the point was imported from ${quote(origin.file)} on ${origin.importedAt.slice(0, 10)}: a dump of database ${quote(origin.database)}${origin.dumpedAt === null ? '' : ` of ${origin.dumpedAt.slice(0, 10)}`}, not a backup of this target`,
			];

/** Where a source of the point belongs now; or why it belongs nowhere. */
function locate(request: RestorationRequest, {stored, paths}: Chosen): RestoringSource | string {
	const {target, into} = request;
	const {point} = request;
	const planned = isForeign(request) || isMoved(point) ? placeOfForeign(target, stored, point.filedAs) : placeOf(target, stored);
	if (typeof planned === 'string') {
		return planned;
	}

	return {...planned, target: target.name, stored, paths, into};
}

/** What the labels ask of which of the databases. Of a point of another target, those that have a place here are asked. */
function askedSources(request: RestorationRequest, placed: readonly RestoringSource[]): ReadonlyMap<string, string> {
	const {target, manifest, skipDrillSql} = request;
	const names = isForeign(request) ? placed.map(({name}) => name) : manifest.sources.map(({source}) => source);
	const questions = skipDrillSql ? [] : questionsOf(target, names);
	return new Map(questions.flatMap(({source, sql}) => (source === undefined ? [] : [[source, sql] as const])));
}
