/** What is there now: targets by label, what a run of each would do, and what is wrong with them. */

import {succeed} from '../../base/command.ts';
import type {ScheduleEntry} from '../../base/due.ts';
import {NotFoundError} from '../../base/errors.ts';
import {runId} from '../../base/ids.ts';
import {label} from '../../base/label.ts';
import type {Problem} from '../../base/problem.ts';
import {nearest} from '../../base/reading/nearest.ts';
import type {DialectName} from '../../base/reading/values.ts';
import type {Unprotected} from '../../base/shapes/targets.ts';
import type {Container} from '../../docker/container.ts';
import type {Engine} from '../../docker/engine.ts';
import {inContainer} from '../../docker/exec.ts';
import {hireWorkers} from '../../docker/hire.ts';
import {createLook, type Seen} from '../../docker/look.ts';
import {createPrograms} from '../../docker/programs.ts';
import type {Self} from '../../docker/self.ts';
import {hostFolderOf} from '../../docker/storage.ts';
import {staging} from '../../docker/worker.ts';
import {kinds} from '../sources/kinds.ts';
import {type Ours, oursOf} from '../targets/dialects/ours.ts';
import {isProgram} from '../targets/dialects/settings.ts';
import {translate} from '../targets/dialects/translate.ts';
import {discoverTargets} from '../targets/discovery.ts';
import {groupServers, type Suggestion, suggestLabels, type Unlabelled} from '../targets/suggest.ts';
import {askedOf, type Target} from '../targets/target.ts';
import {createOthers} from './others.ts';
import {planTarget} from './plan.ts';
import type {Surveyed} from './planned.ts';
import {createServices} from './services.ts';
import {findUnprotected} from './unprotected.ts';

/** One list of the engine's containers, and what their labels alone say: nobody need look at storage, and no server is asked. */
export interface Listed {
	/** All of the engine. */
	containers: readonly Container[];
	/** Those that the agent looks at: of its projects, or all. */
	inScope: readonly Container[];
	/** Sorted by name. */
	targets: readonly Target[];
}

export interface Survey {
	/** Compose projects that the agent looks at; empty: all. */
	readonly projects: readonly string[];
	/** Everything on the engine, its storage known by all its names. */
	present: () => Promise<Seen>;
	/** Asks the engine once, for all that is asked of one look. */
	list: () => Promise<Listed>;
	/** When what is to be done with each target is due. */
	due: (listed: Listed) => Array<Omit<ScheduleEntry, 'since'>>;
	/** Every target, from its labels alone: no server is asked. */
	targets: () => Promise<readonly Target[]>;
	/** Every target, sorted by name. What servers said of their databases may be a few seconds old, unless more is allowed. */
	all: (listed: Listed, maximumAgeMs?: number) => Promise<Surveyed[]>;
	/** Volumes and bind mounts that no target backs up. */
	unprotected: (listed: Listed, surveyed: readonly Surveyed[]) => Promise<Unprotected[]>;
	/** What would protect the services of a project that no target is made of. @throws {NotFoundError} */
	suggest: (project: string) => Promise<Suggestion[]>;
	/** What another program is told to do for a project, in our words. @throws {NotFoundError} */
	translate: (project: string, from: DialectName) => Promise<Ours>;
	/** As it is now. @param cold for a backup during which it is stopped @throws {NotFoundError} */
	one: (name: string, options?: {cold?: boolean | undefined}) => Promise<Surveyed>;
	/** The target of that name, or all targets of the project of that name; no server is asked. @throws {NotFoundError} */
	named: (name: string) => Promise<{targets: readonly [Target, ...Target[]]; isProject: boolean}>;
}

export interface SurveyOptions {
	engine: Engine;
	/** The agent's own container is never quiesced, and its storage never a source. */
	self: Self;
	/** Of workers. */
	agentId: string;
	/** Where the engine keeps its own data. */
	dataRoot: string;
	prefix: string;
	/** Programs whose labels are understood, too. */
	dialects?: readonly DialectName[];
	/** Compose projects that the agent looks at; empty: all. */
	projects: readonly string[];
	/** Those whose services need no label; `*`: everything. */
	auto: readonly string[];
	schedule: string;
	/** How long a dump waits for a lock. */
	lockTimeoutMs: number;
	/** Names of the configured ones. */
	copies: readonly string[];
}

/** When a target is rehearsed whose label does not say it: `@weekly`. */
const weekly = '0 0 * * 0';
const answersKeptMs = 10_000;
/** For what is about to run: how long a link of the host is taken to lead where it led. */
const linksKeptMs = 60_000;
/** How long a container may take to say what is mounted in it. */
const askedMs = 10_000;

export function createSurvey(options: SurveyOptions): Survey {
	const {engine, self, dataRoot, prefix, dialects = [], projects, auto, schedule, lockTimeoutMs, copies} = options;
	// A target's files are mounted in a worker under the target's name, beside the agent's own mounts.
	const reserved = [staging, ...self.mounts.map(({path}) => path)].map(path => path.split('/')[1] ?? '');
	const hire = async () => hireWorkers({...options, run: `look-${runId(Date.now())}`});
	const services = createServices({engine, dataRoot, hire});
	const isInScope = ({project}: Container): boolean => projects.length === 0 || (project !== undefined && projects.includes(project));
	const mayBeTarget = (container: Container): boolean =>
		isInScope(container) &&
		(isAuto(container) || dialects.length > 0 || Object.keys(container.labels).some(name => name.startsWith(prefix)));
	const seen = createLook({
		dataRoot,
		hire,
		details: async id => engine.inspect(id),
		mountsIn: async id => succeed(inContainer(engine, id), {argv: ['cat', '/proc/self/mountinfo'], signal: AbortSignal.timeout(askedMs)}),
		isAsked: mayBeTarget,
	});
	const programs = createPrograms(engine);
	const others = createOthers(engine, dialects);
	const present = async (): Promise<Seen> => seen(await engine.list(), linksKeptMs);

	const look = async (target: Target, {containers, unseen}: Seen, maximumAgeMs: number, cold = false): Promise<Surveyed> => {
		const agent = containers.find(({id}) => id === self.containerId);
		const {answers, problems: unreachable} = await services.ask(target, agent, maximumAgeMs);
		const {plan, problems} = planTarget({
			target,
			containers,
			answers,
			defaults: {schedule, lockTimeoutMs},
			cold,
			prefix,
			self: self.containerId,
			dataRoot,
		});
		const unknown = copyProblems(target.policy.copies, {subject: target.name, label: `${prefix}copies`, copies});
		const isOfHost = plan.sources.some(({mount}) => mount !== undefined && hostFolderOf(mount) !== undefined);
		const notes = unseen === undefined || !isOfHost ? plan.notes : [...plan.notes, unseenNote(unseen)];
		return {target, plan: {...plan, notes}, problems: [...target.problems, ...problems, ...unknown, ...unreachable]};
	};

	const list = async (): Promise<Listed> => {
		const containers = await engine.list();
		return {containers, inScope: containers.filter(isInScope), targets: await targetsAmong(containers)};
	};

	/** Of storage as the engine alone tells it, whatever else is known: the same ones at any time. */
	const suggestAmong = async (
		containers: readonly Container[],
		{isSure, isWanted}: Pick<Unlabelled, 'isSure' | 'isWanted'>,
		maximumAgeMs?: number,
	): Promise<Suggestion[]> => {
		const theirs = await others(containers);
		return suggestLabels({
			containers: containers.map(({mounts, ...container}) => ({
				...container,
				labels: translate({mounts, ...container}, {prefix, names: dialects, programs: theirs}).labels,
				mounts: mounts.map(({folders: _, inner: __, ...mount}) => mount),
			})),
			programs: await programs(containers, {maximumAgeMs}),
			self: self.containerId,
			dataRoot,
			prefix,
			isSure,
			isWanted,
		});
	};

	const targetsAmong = async (containers: readonly Container[]): Promise<Target[]> => {
		const theirs = await others(containers);
		const all = new Set(theirs.flatMap(({project, settings}) => (settings.all && project !== undefined ? [project] : [])));
		const isOther = ({image}: Container) => dialects.some(name => isProgram(name, image));
		const isWanted = (container: Container) =>
			!isOther(container) && (isAuto(container) || (container.project !== undefined && all.has(container.project)));
		const found = auto.length + all.size === 0 ? [] : await suggestAmong(containers, {isSure: true, isWanted});
		return discoverTargets(containers, {
			prefix,
			dialects,
			programs: theirs,
			projects,
			reserved,
			suggested: new Map(found.map(suggestion => [suggestion.container.id, suggestion])),
		});
	};

	const isAuto = ({project}: Container): boolean => auto.includes('*') || (project !== undefined && auto.includes(project));

	return {
		projects,
		present,
		list,
		async unprotected({containers, inScope}, surveyed) {
			const known = new Set(inScope.map(({id}) => id));
			const all = (await seen(containers)).containers;
			const own = all.filter(({id}) => known.has(id));
			return findUnprotected(own, surveyed, {
				dataRoot,
				self: all.find(({id}) => id === self.containerId),
				prefix,
				processes: await programs(all, {wanted: own}),
			});
		},
		due: ({targets}) =>
			targets.flatMap(({name: subject, policy, members}) => [
				{operation: 'backup' as const, subject, line: policy.schedule ?? schedule},
				...(policy.drill === 'false' || (policy.drill === undefined && lacksImage(members))
					? []
					: [{operation: 'drill' as const, subject, line: policy.drill ?? weekly}]),
				...(policy.scheduleCold === undefined
					? []
					: [{operation: 'backup' as const, subject, cold: true as const, line: policy.scheduleCold}]),
			]),
		targets: async () => (await list()).targets,
		async all({containers}, maximumAgeMs = answersKeptMs) {
			services.forgetOthers(containers);
			const found = await seen(containers);
			return Promise.all((await targetsAmong(found.containers)).map(async target => look(target, found, maximumAgeMs)));
		},
		async translate(project, name) {
			const {containers, inScope} = await list();
			assertProject(project, inScope);
			return oursOf({
				name,
				containers: inScope.filter(container => container.project === project),
				programs: await createOthers(engine, [name])(containers),
				suggested: await suggestAmong(containers, {isSure: false, isWanted: container => container.project === project}, 0),
			});
		},
		async suggest(project) {
			const {inScope, containers} = await list();
			assertProject(project, inScope);
			// A person asks, perhaps right after its start.
			const found = await suggestAmong(containers, {isSure: false, isWanted: container => container.project === project}, 0);
			const agent = containers.find(({id}) => id === self.containerId);
			return Promise.all(groupServers(found, containers).map(async suggestion => services.refine(suggestion, agent)));
		},
		async named(name) {
			const targets = await targetsAmong((await present()).containers);
			const one = targets.find(target => target.name === name);
			const [first, ...others] = one === undefined ? targets.filter(({project}) => project === name) : [one];
			if (first === undefined) {
				throw noSuchTarget(name);
			}

			return {targets: [first, ...others], isProject: one === undefined};
		},
		async one(name, {cold} = {}) {
			const found = await present();
			const targets = await targetsAmong(found.containers);
			const target = targets.find(candidate => candidate.name === name);
			if (target === undefined) {
				throw noSuchTarget(name);
			}

			return look(target, found, 0, cold);
		},
	};
}

function assertProject(project: string, containers: readonly Container[]): void {
	if (!containers.some(container => container.project === project)) {
		throw new NotFoundError(`there is no project \`${project}\``, {hint: '`docker compose ls --all` lists the names'});
	}
}

/** For people. */
export const unseenNote = (why: string): string =>
	`folders of the host are told apart by their paths alone, so a link to one is taken for another: nobody could look (${why})`;

/** A server elsewhere says nothing of what a rehearsal's own could be made of: without the label that does, none is due. */
const lacksImage = (members: Target['members']): boolean =>
	members.some(
		member => member.policy.drillImage === undefined && kinds.some(kind => kind.elsewhere?.(askedOf(member, kind).policy) !== undefined),
	);

export const noSuchTarget = (name: string): NotFoundError =>
	new NotFoundError(`there is no target \`${name}\``, {
		hint: `\`holdfast targets\` lists them; a target is a service with the label ${label('enable')}=true. One that is gone is started again, new and empty, before it is restored; what it had can also be put into one of another name: holdfast restore NEW --from-target ${name}`,
	});

/** Labels that name what is not configured: what they ask for cannot be done. */
export function copyProblems(
	wanted: readonly string[] | undefined,
	{subject, label, copies}: {subject: string; label: string; copies: readonly string[]},
): Problem[] {
	return (wanted ?? [])
		.filter(name => !copies.includes(name))
		.map(name => {
			const meant = copies.length === 0 ? undefined : nearest(name, copies);
			const known =
				copies.length === 0
					? 'no copy is configured: docs/copies.md says how'
					: `there are ${copies.map(copy => `\`${copy}\``).join(', ')}`;
			return {
				message: `\`${subject}\`: \`${label}\` must be names of configured copies or \`none\`, got "${name}"`,
				hint: meant === undefined ? known : `did you mean \`${meant}\`?`,
			};
		});
}
