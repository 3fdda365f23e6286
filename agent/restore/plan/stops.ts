/** Who stands still while sources are restored, or put back. */
import {isOneOff} from '../../../docker/compose.ts';
import {type Container, workerLabel} from '../../../docker/container.ts';
import {companionsOf, dependentsFirst} from '../../../docker/order.ts';
import {describeStorage, isWriterOf, seesAll} from '../../../docker/storage.ts';
import {unstartable} from '../../../docker/stranded.ts';
import {whyNotStopped} from '../../../docker/tasks.ts';
import {servicesOf} from '../../plan/quiesce.ts';
import {kindOf} from '../../sources/kinds.ts';
import type {PlannedSource} from '../../sources/source.ts';
import type {Member, Target} from '../../targets/target.ts';

export interface Surroundings {
	/** All of the engine. */
	containers: readonly Container[];
	/** The agent's own container: never stopped. */
	self: string | undefined;
}

export interface Stops {
	/** In this order. Started again in the reverse one. */
	stop: ReadonlyArray<{container: Container; action: 'stop'; reason: string}>;
	warnings: string[];
	/** What must be acknowledged: who writes to what is restored, and runs on. */
	acknowledge: string[];
	problems: string[];
}

type Scope = Surroundings & {target: Target; sources: readonly PlannedSource[]};

interface Wish {
	container: Container;
	reason: string;
}

/** @param sources of all the targets */
export function planStops(targets: readonly Target[], surroundings: Surroundings, sources: readonly PlannedSource[]): Stops {
	const {containers} = surroundings;
	const acknowledge: string[] = [];
	const wishes = targets.flatMap(target => wishesOf({...surroundings, target, sources}, acknowledge));
	const reasons = new Map(wishes.toReversed().map(({container, reason}) => [container.id, reason]));
	const chosen = containers
		.filter(({id}) => reasons.has(id))
		.filter(container => isStoppable({...surroundings, sources}, container, acknowledge));
	const passing = chosen.filter(container => isOneOff(container.labels) && (isUp(container) || container.state === 'paused'));
	const paused = chosen.filter(container => container.state === 'paused' && !isOneOff(container.labels));
	const companions = companionsOfAll(
		chosen.filter(container => isUp(container) && !isOneOff(container.labels)),
		surroundings,
	);
	for (const {container, reason} of companions.stopped) {
		reasons.set(container.id, reasons.get(container.id) ?? reason);
	}

	const running = companions.stopped.map(({container}) => container);
	const stop = dependentsFirst(running, containers).map(container => ({
		container,
		action: 'stop' as const,
		reason: reasons.get(container.id) ?? '',
	}));
	return {
		stop,
		warnings: [...new Set([...companions.warnings, ...watchersOf(surroundings, sources, running)])],
		acknowledge: [...new Set(acknowledge)],
		problems: [
			...passing.map(({name}) => passingProblem(name)),
			...paused.map(({name}) => pausedProblem(name)),
			...running.flatMap(unstoppableProblem),
			...running.flatMap(container => strandedProblem(container, containers)),
			...companions.problems,
		],
	};
}

/** Those that look after the engine as a whole: they are told of, and go on. */
const watchersOf = ({containers, self}: Surroundings, sources: readonly PlannedSource[], stopped: readonly Container[]): string[] =>
	containers
		.filter(other => isUp(other) && other.id !== self && other.labels[workerLabel] === undefined && !stopped.includes(other))
		.flatMap(other => {
			const [view] = sources.flatMap(({mount}) => (mount === undefined ? [] : (seesAll(other, mount) ?? [])));
			return view === undefined ? [] : [`container \`${other.name}\` ${view}, and is not stopped: nobody should write with it meanwhile`];
		});

const isUp = ({state}: Container): boolean => state === 'running' || state === 'restarting';

/** Who is stopped, and with them those that would be cut off: within the project, and never Holdfast itself. */
function companionsOfAll(
	chosen: readonly Container[],
	{containers, self}: Surroundings,
): {stopped: Wish[]; warnings: string[]; problems: string[]} {
	const stopped = new Map<string, Wish>(chosen.map(container => [container.id, {container, reason: ''}]));
	const warnings: string[] = [];
	const problems: string[] = [];
	// What is added while it is walked through is walked through, too.
	for (const {container: host} of stopped.values()) {
		for (const {container, reason} of companionsOf(host, containers)) {
			if (!isUp(container)) {
				continue;
			}

			if (container.id === self) {
				problems.push(`Holdfast itself ${reason}, which the restore stops: give it a network of its own meanwhile`);
			} else if (host.project === undefined || container.project !== host.project) {
				warnings.push(
					`container \`${container.name}\`, which is not of this project, ${reason}, which is stopped: restart it afterwards, or it stays cut off`,
				);
			} else if (container.labels[workerLabel] === undefined && !stopped.has(container.id)) {
				stopped.set(container.id, {container, reason});
			}
		}
	}

	return {stopped: [...stopped.values()], warnings, problems};
}

function wishesOf(scope: Scope, acknowledge: string[]): Wish[] {
	const {target, sources} = scope;
	return target.members
		.filter(({container}) => sources.some(source => source.container.id === container.id))
		.flatMap(member => [...needing(scope, member), ...owning(scope, member), ...sharing(scope, member, acknowledge)]);
}

const pausedProblem = (name: string): string =>
	`container \`${name}\` is paused by somebody else, and would go on with what it remembers: \`docker unpause ${name}\` or \`docker stop ${name}\` first`;

const passingProblem = (name: string): string =>
	`container \`${name}\` of \`docker compose run\` uses what is restored, and would not come back from a stop as it was: end it first (docker stop ${name})`;

function unstoppableProblem(container: Container): string[] {
	const why = whyNotStopped(container);
	const wayOut =
		container.swarm?.mode === 'global'
			? 'deploy it with `mode: replicated` meanwhile'
			: "restore it by a manager's agent, or promote this node (docker node promote)";
	return why === undefined ? [] : [`container \`${container.name}\` must be stopped, and ${why}: ${wayOut}`];
}

function strandedProblem(container: Container, containers: readonly Container[]): string[] {
	const stranded = unstartable(container, containers);
	return stranded === undefined ? [] : [`container \`${container.name}\` must be stopped, and ${stranded.why}: ${stranded.hint}`];
}

/** Those that the label names; or those that depend on the service. */
function needing({target, containers}: Scope, {policy, container, service}: Member): Wish[] {
	return policy.restoreStop === undefined
		? dependentsOf(container, containers).map(dependent => ({container: dependent, reason: `depends on ${service}`}))
		: policy.restoreStop.flatMap(name => servicesOf(target, containers, name)).map(named => ({container: named, reason: 'restore.stop'}));
}

const ofMember = ({sources}: Scope, {container}: Member) => sources.filter(source => source.container.id === container.id);

/** Its server is in the container, which must run on. */
function isServed(source: PlannedSource): boolean {
	const kind = kindOf(source.kind);
	return kind.stillness(source) === 'forbidden' && kind.isRestoredAtRest !== true;
}

function owning(scope: Scope, member: Member): Wish[] {
	const own = ofMember(scope, member).filter(source => !isServed(source));
	const reason = own.some(({kind}) => !kindOf(kind).isServed) ? 'its files are restored' : 'its database is restored';
	return own.length > 0 ? member.replicas.map(container => ({container, reason})) : [];
}

/** Whoever else writes to the storage: stopped within the project; outside it a label does not reach, so a person must know. */
function sharing(scope: Scope, member: Member, acknowledge: string[]): Wish[] {
	const {target, containers, self} = scope;
	return ofMember(scope, member).flatMap(({mount}) => {
		const others = containers.filter(other => other.id !== member.container.id && mount !== undefined && isWriterOf(other, mount));
		const storage = mount === undefined ? '' : describeStorage(mount);
		return others.flatMap(container => {
			if (target.project !== undefined && container.project === target.project) {
				return [{container, reason: `mounts the ${storage} read-write`}];
			}

			if (container.id !== self && container.labels[workerLabel] === undefined && (isUp(container) || container.state === 'paused')) {
				acknowledge.push(`container \`${container.name}\`, which is not of this project, also writes to the ${storage}; it is not stopped`);
			}

			return [];
		});
	});
}

/** Holdfast itself goes on, and so does a server whose databases are restored. */
function isStoppable(
	{self, sources}: Surroundings & {sources: readonly PlannedSource[]},
	{id, name, labels}: Container,
	acknowledge: string[],
): boolean {
	const served = sources.filter(({container}) => container.id === id).map(isServed);
	if (!served.includes(true)) {
		return id !== self && labels[workerLabel] === undefined;
	}

	if (served.includes(false)) {
		acknowledge.push(`container \`${name}\` runs on while its files are restored, because its databases are restored too`);
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
