/** Which containers stand still for the moment, and how. */
import {isOneOff} from '../../docker/compose.ts';
import {type Container, workerLabel} from '../../docker/container.ts';
import {companionsOf, dependentsFirst} from '../../docker/order.ts';
import {describeStorage, isWriterOf, seesAll} from '../../docker/storage.ts';
import {unstartable} from '../../docker/stranded.ts';
import {whyNotStopped} from '../../docker/tasks.ts';
import {kindOf} from '../sources/kinds.ts';
import type {Remarks} from '../sources/remarks.ts';
import {snapshotsFolder} from '../sources/snapshots.ts';
import type {PlannedSource} from '../sources/source.ts';
import type {Member, Target} from '../targets/target.ts';
import {subjectOf} from '../targets/target.ts';
import type {Plan, PlannedQuiesce, PlanRequest} from './planned.ts';

type Mode = 'none' | 'pause' | 'stop' | 'snapshot';

/** For a snapshot it stands still as well. */
const actionOf = (mode: Exclude<Mode, 'none'>): PlannedQuiesce['action'] => (mode === 'snapshot' ? 'pause' : mode);

interface Scope {
	target: Target;
	sources: readonly PlannedSource[];
	containers: readonly Container[];
	self: string | undefined;
	defaultMode: Mode;
	cold: boolean;
	prefix: string;
	remarks: Remarks;
}

type QuiesceRequest = Pick<PlanRequest, 'target' | 'containers' | 'self' | 'defaults'> & {
	cold: boolean;
	prefix: string;
	sources: readonly PlannedSource[];
};

export function planQuiesce({defaults, ...request}: QuiesceRequest, remarks: Remarks): Pick<Plan, 'quiesce' | 'resting' | 'snapshots'> {
	const scope: Scope = {...request, self: request.self, defaultMode: defaults.quiesce ?? 'pause', remarks};
	const wishes = scope.target.members.flatMap(member => [...own(scope, member), ...named(scope, member), ...sharing(scope, member)]);
	const granted = new Map<string, PlannedQuiesce>();
	for (const wish of wishes) {
		const earlier = granted.get(wish.container.id);
		if (earlier === undefined && isPossible(scope, wish)) {
			granted.set(wish.container.id, wish);
		} else if (earlier !== undefined && wish.action === 'stop') {
			granted.set(wish.container.id, {...earlier, action: 'stop'});
		}
	}

	addCompanions(scope, granted);
	const order = dependentsFirst(
		[...granted.values()].map(({container}) => container),
		scope.containers,
	);
	const planned = order.flatMap(({id}) => granted.get(id) ?? []);
	return {
		quiesce: planned.filter(isRunning).map(running => keepServer(scope, running)),
		resting: planned.filter(each => !isRunning(each)),
		snapshots: scope.target.members.filter(member => takesSnapshots(scope, member)).map(({container}) => container.id),
	};
}

/** One that restarts over and over can be stopped. Whether it can be paused is seen when the moment comes. */
const isRunning = ({container: {state}, action}: PlannedQuiesce): boolean =>
	state === 'running' || (state === 'restarting' && action === 'stop');

const stillness = (source: PlannedSource) => kindOf(source.kind).stillness(source);

/** Its own, of which some must be read while nobody writes, or those that may be. */
const has = (wanted: 'needed' | 'allowed', {sources}: Scope, {container}: Member): boolean =>
	sources.some(source => source.container.id === container.id && stillness(source) === wanted);

/** What holds for the member's own containers and for those that share its volumes. Dumps alone need nobody to stand still. */
function modeOf(scope: Scope, member: Member): Mode {
	const isFiles = has('needed', scope, member);
	const isOther = has('allowed', scope, member);
	if (scope.cold && (isFiles || isOther)) {
		return 'stop';
	}

	if (isFiles) {
		return member.policy.quiesce ?? scope.defaultMode;
	}

	return isOther ? (member.policy.quiesce ?? 'none') : 'none';
}

function own(scope: Scope, member: Member): PlannedQuiesce[] {
	const {target, remarks, prefix} = scope;
	const mode = modeOf(scope, member);
	const about = remarks.about(subjectOf(target, member));
	if (mode === 'none') {
		if (has('needed', scope, member)) {
			about.note('nothing is quiesced, so its files may be of different moments');
		} else if (member.policy.quiesce !== undefined && member.policy.quiesce !== 'none') {
			about.note(`\`${prefix}quiesce\` does not quiesce it itself: ${serverOf(scope, member)} must answer while it is dumped`);
		}

		return [];
	}

	if (mode === 'snapshot') {
		noteSnapshots(scope, about);
	}

	return member.replicas.map(container => ({
		container,
		action: actionOf(mode),
		reason: container.id === member.container.id ? 'the target' : 'a replica of the target',
	}));
}

const takesSnapshots = (scope: Scope, member: Member): boolean => has('needed', scope, member) && modeOf(scope, member) === 'snapshot';

/** Whether a file system can make them is seen when the run begins. */
function noteSnapshots({containers, self, prefix}: Scope, {note}: Pick<Remarks, 'note'>): void {
	const isGiven = containers.find(({id}) => id === self)?.mounts.some(({path}) => path === snapshotsFolder);
	note(
		isGiven
			? `it stands still until its file system has made a snapshot of each subvolume of btrfs; other files are read while it stands still, and the run says why`
			: `\`${prefix}quiesce=snapshot\` needs a folder of its file system at ${snapshotsFolder} in Holdfast's container: without it, it stands still while its files are read`,
	);
}

function serverOf({sources}: Scope, {container}: Member): string {
	const served = sources.find(source => source.container.id === container.id && stillness(source) === 'forbidden');
	return served === undefined ? 'a server' : `a ${kindOf(served.kind).title} server`;
}

/** `quiesce.with`: naming a service asks for it to be quiesced, whatever the default is. */
function named({target, containers, defaultMode, cold, remarks, prefix}: Scope, {policy, ...member}: Member): PlannedQuiesce[] {
	const {quiesceWith} = policy;
	const mode = cold ? 'stop' : (policy.quiesce ?? (defaultMode === 'none' ? 'pause' : defaultMode));
	if (mode === 'none') {
		if (quiesceWith.length > 0) {
			remarks.about(subjectOf(target, member)).problem(`\`${prefix}quiesce.with\` cannot be together with \`${prefix}quiesce=none\``);
		}

		return [];
	}

	return quiesceWith.flatMap(service =>
		servicesOf(target, containers, service).map(container => ({container, action: actionOf(mode), reason: `${prefix}quiesce.with`})),
	);
}

/** Containers of a service of the target's project. Those of `docker compose run` are not the service. */
export const servicesOf = ({project}: Target, containers: readonly Container[], service: string): Container[] =>
	containers.filter(
		container => project !== undefined && container.project === project && container.service === service && !isOneOff(container.labels),
	);

/** Whoever else writes what is read as files. A label reaches no further than its own Compose project: outside it there is only a warning. */
function sharing(scope: Scope, member: Member): PlannedQuiesce[] {
	const {target, sources, containers, remarks} = scope;
	const mode = modeOf(scope, member);
	const mounts = sources
		.filter(source => source.container.id === member.container.id && stillness(source) === 'needed')
		.flatMap(({mount}) => mount ?? []);
	const own = new Set(member.replicas.map(({id}) => id));
	if (mode === 'none') {
		return [];
	}

	const others = containers.filter(other => isUp(other) && !own.has(other.id) && !isHoldfast(scope, other));
	for (const other of others) {
		const [view] = mounts.flatMap(mount => seesAll(other, mount) ?? []);
		if (view !== undefined) {
			remarks.note(`container \`${other.name}\` ${view}, and goes on`);
		}
	}

	return mounts.flatMap(mount =>
		others
			.filter(other => isWriterOf(other, mount))
			.flatMap((container): PlannedQuiesce[] => {
				const storage = describeStorage(mount);
				const sameProject = target.project !== undefined && container.project === target.project;
				const action = scope.cold ? mode : (memberWith(target, container)?.policy.quiesce ?? mode);
				if (!sameProject || action === 'none') {
					const whose = sameProject
						? 'with the quiesce mode `none`'
						: container.project === undefined
							? 'outside Compose'
							: `of project \`${container.project}\``;
					remarks.note(`container \`${container.name}\` ${whose} also writes to the ${storage}; it is not quiesced`);
					return [];
				}

				return [{container, action: actionOf(action), reason: `mounts the ${storage} read-write`}];
			}),
	);
}

const isUp = ({state}: Container): boolean => state === 'running' || state === 'restarting';

const memberWith = ({members}: Target, {id}: Container): Member | undefined =>
	members.find(({replicas}) => replicas.some(replica => replica.id === id));

/**
 * Who would be cut off when another is stopped is stopped with it. Where that may not be, the other is paused: a pause keeps its network.
 */
function addCompanions(scope: Scope, granted: Map<string, PlannedQuiesce>): void {
	const {containers, remarks} = scope;
	const pause = (planned: PlannedQuiesce, why: string): void => {
		granted.set(planned.container.id, {...planned, action: 'pause'});
		remarks.note(`container \`${planned.container.name}\` is paused, not stopped: ${why}`);
	};

	const pending = [...granted.keys()];
	for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
		const planned = granted.get(id);
		if (planned?.action !== 'stop') {
			continue;
		}

		const companions = companionsOf(planned.container, containers).filter(
			({container: {state}}) => state === 'running' || state === 'restarting',
		);
		const kept = companions.find(({container}) => mustRunOn(scope, container));
		const unstoppable = whyNotStopped(planned.container) ?? unstartable(planned.container, containers)?.why;
		if (unstoppable !== undefined) {
			pause(planned, unstoppable);
		} else if (kept !== undefined) {
			pause(planned, `container \`${kept.container.name}\`, which must run on, ${kept.reason}`);
		} else {
			for (const {container, reason} of companions.filter(companion => granted.get(companion.container.id)?.action !== 'stop')) {
				granted.set(container.id, {container, action: 'stop', reason});
				pending.push(container.id);
			}
		}
	}

	// Whose companion had to be paused after all is paused as well.
	for (const planned of [...granted.values()].filter(({action}) => action === 'stop')) {
		const paused = companionsOf(planned.container, containers).find(({container}) => granted.get(container.id)?.action === 'pause');
		if (paused !== undefined) {
			pause(planned, `container \`${paused.container.name}\`, which is paused, ${paused.reason}`);
		}
	}
}

/** Holdfast, those of other projects, and servers that are dumped afterwards. */
const mustRunOn = (scope: Scope, container: Container): boolean =>
	isHoldfast(scope, container) ||
	scope.target.project === undefined ||
	container.project !== scope.target.project ||
	scope.sources.some(source => isServedIn(source, container));

const isHoldfast = ({self}: Scope, {id, labels}: Container): boolean => id === self || labels[workerLabel] !== undefined;

function isPossible(scope: Scope, {container, action}: PlannedQuiesce): boolean {
	const {remarks} = scope;
	if (isHoldfast(scope, container)) {
		remarks.note(`container \`${container.name}\` is Holdfast itself, and is not quiesced`);
		return false;
	}

	switch (container.state) {
		case 'running':
			return true;
		case 'restarting':
			remarks.note(
				action === 'stop'
					? `container \`${container.name}\` restarts over and over: it is stopped, and put back to that`
					: `container \`${container.name}\` restarts over and over, so it cannot be paused, and its files may be of different moments: \`${scope.prefix}quiesce=stop\` stops it`,
			);
			return true;
		case 'paused':
			remarks.note(`container \`${container.name}\` is paused already, and stays so`);
			return true;
		default:
			remarks.note(`container \`${container.name}\` is not running (${container.state}), and stays so`);
			return true;
	}
}

/** Whether the container's own server has the data. */
const isServedIn = (source: PlannedSource, {id}: Container): boolean => source.container.id === id && stillness(source) === 'forbidden';

/** A session that pins a database lives through a pause of its server, and not through a stop. */
function keepServer({sources, remarks}: Scope, planned: PlannedQuiesce): PlannedQuiesce {
	const {container, action} = planned;
	if (!sources.some(source => isServedIn(source, container))) {
		return planned;
	}

	remarks.note(`what is of the moment in container \`${container.name}\`, which must answer, is pinned just before it is quiesced`);
	if (action === 'stop') {
		remarks.note(`container \`${container.name}\` is paused, not stopped: a stopped server cannot be dumped afterwards`);
	}

	return {...planned, action: 'pause'};
}
