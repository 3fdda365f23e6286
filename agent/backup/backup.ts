/** A backup run, from its plan to its restore point. */

import {explain} from '../../base/errors.ts';
import {type Tell, warner} from '../../base/events.ts';
import type {BackupResult, Outcome, SourceResult} from '../../base/results.ts';
import {inside} from '../../docker/storage.ts';
import {staging, type Worker, type Workforce} from '../../docker/worker.ts';
import type {WorkerMount} from '../../docker/worker-mounts.ts';
import {isOfOneMoment, type Plan} from '../plan/planned.ts';
import type {Manifest, ManifestSource} from '../repository/manifest.ts';
import type {Marked} from '../repository/points.ts';
import {type Beginning, createPress, type Press, publishedWith} from '../repository/press.ts';
import {withWorkers} from '../runs/shell.ts';
import {sourceContext} from '../runs/source-context.ts';
import type {Workshop} from '../runs/workshop.ts';
import {kindOf} from '../sources/kinds.ts';
import {workerMount} from '../sources/mounts.ts';
import {type Snapshots, snapshotsFolder} from '../sources/snapshots.ts';
import type {PlannedSource, Source, SourceContext} from '../sources/source.ts';
import {createStagingRoom} from '../sources/staging-room.ts';
import {enlist, NothingLeftError} from './crew.ts';
import {describePoint, describeSource} from './describe.ts';
import {lockPatienceSeconds, tellingOfLocks} from './locked.ts';
import {moment} from './moment.ts';
import {type Previous, previousOf} from './previous.ts';
import {swarmOf} from './swarm.ts';

type Still = Pick<Plan, 'quiesce' | 'resting'>;

/** A plan that is older is looked at again before the moment. */
const stillMs = 60_000;

export interface BackupRun {
	run: string;
	plan: Plan;
	startedAt: Date;
	/** Since when the target is here: milliseconds since 1970; undefined where that is not known. */
	hereSince?: number | undefined;
	/** The newest point of the target: what did not change since need not be read again. It is found while the workers are made. */
	previous: Promise<Previous | undefined>;
	/** Nothing is removed from the repository again: as little as can be is stored that is no point. */
	keepsAll?: boolean;
	signal: AbortSignal;
	tell: Tell;
	/** Who must stand still as things are now: the first pass may take hours, in which containers come and go. */
	stillNow: () => Promise<Still>;
	/** No other run wakes them, or makes them stand still for itself: waits for who has them in hand. @throws {RunError} */
	keep: (still: Still) => Promise<void>;
	/** Remembers what was told of a subject; null: nothing more. False: just that was told before. */
	tellOnce: (subject: string, what: string | null) => boolean;
	/** The moment is over: from now on nothing is stored but snapshots of the point. */
	onStoring?: () => void;
	/** The point is there, and the workers are being removed: what the run ends with, unless that fails; and the snapshots of the point. */
	onPublished?: (published: BackupResult, snapshots: readonly Marked[]) => void;
	/** As sources say it: how new a file is that may have changed while it was read. */
	rememberNewest: NonNullable<SourceContext['rememberNewest']>;
	/** Of the repository; undefined where a moment must not wait for what it stores. */
	pace?: SourceContext['pace'];
}

interface Progress {
	/** The moment that the point shows. */
	time: Date;
	quiesceSeconds: number;
	/** Who stands still in the moment. */
	still: Still;
	published: boolean;
	warnings: string[];
}

/** So long before the moment what carries the time of the point may have been started: its second passes, and what stores its manifest. */
const aheadMs = 3000;

/** Never rejects: whatever happens is the outcome. */
export async function backup(workshop: Workshop, options: BackupRun): Promise<BackupResult> {
	const {plan, startedAt} = options;
	const sources = new Map<string, SourceResult>(
		plan.sources.map(({name}) => [name, {source: name, outcome: 'failed', snapshot: null, bytes: 0, addedBytes: 0}]),
	);
	const state: Progress = {time: startedAt, quiesceSeconds: 0, still: plan, published: false, warnings: []};
	const tellingWhoWaits = tellingOfLocks(workshop.restic(), options.tell);
	const press = pressOf(workshop, options);
	const failures = await withWorkers(
		workshop,
		options,
		async workforce => work(workshop, options, {workforce, results: sources, state, press, tellingWhoWaits}),
		async manifest => {
			if (manifest !== undefined) {
				options.tell({type: 'step', step: 'publish'});
				const own = await tellingWhoWaits(async () => press.publish(manifest));
				state.published = true;
				options.onPublished?.(resultOf(options, {sources, state}, []), publishedWith(own, manifest.sources));
			}
		},
	);
	await press.close();
	return resultOf(options, {sources, state}, failures);
}

/** @param failures what failed beside its sources */
function resultOf(
	{run, plan, startedAt}: BackupRun,
	{sources, state}: {sources: ReadonlyMap<string, SourceResult>; state: Progress},
	failures: readonly unknown[],
): BackupResult {
	const results = [...sources.values()];
	const failed = results.filter(({outcome}) => outcome === 'failed');
	const ofSources = failed.flatMap(({source, error}) => (error === undefined ? [] : [`${source}: ${error}`]));
	// What failed first is why the rest did: that no source was left says nothing where each of them does.
	const others = failures.filter(error => !(error instanceof NothingLeftError && ofSources.length > 0)).map(explain);
	const errors = [...ofSources, ...others];
	const absent = absentOf(plan);
	return {
		run,
		target: plan.target,
		outcome: outcomeOf({isPublished: state.published, lacks: errors.length + absent.length, succeeded: results.length - failed.length}),
		point: state.published ? run : null,
		startedAt: startedAt.toISOString(),
		durationSeconds: (Date.now() - startedAt.getTime()) / 1000,
		quiesceSeconds: state.quiesceSeconds,
		sources: results,
		...(absent.length === 0 ? {} : {absent}),
		...(state.warnings.length === 0 ? {} : {warnings: [...new Set(state.warnings)]}),
		...(errors.length === 0 ? {} : {error: [...new Set(errors)].join('; ')}),
	};
}

const absentOf = ({absent}: Plan) => absent.map(({source, why}) => ({source, why}));

/** A point that was published although something could not be cleaned up, or is not in it, is a point; but the run says so. */
function outcomeOf({isPublished, lacks, succeeded}: {isPublished: boolean; lacks: number; succeeded: number}): Outcome {
	if (isPublished) {
		return lacks === 0 ? 'success' : 'partial';
	}

	return succeeded > 0 ? 'partial' : 'failed';
}

/** What the steps of a run hand on to each other. */
interface Hands {
	workforce: Workforce;
	results: Map<string, SourceResult>;
	state: Progress;
	press: Press;
	tellingWhoWaits: ReturnType<typeof tellingOfLocks>;
}

/** @returns what makes a point of it; undefined where a source is missing */
async function work(
	workshop: Workshop,
	options: BackupRun,
	{workforce, results, state, press, tellingWhoWaits}: Hands,
): Promise<Manifest | undefined> {
	const {plan, tell} = options;
	const [worker, previous] = await Promise.all([
		workforce.repository(mountsOf(plan), plan.snapshots.length > 0 ? 'snapshot' : 'read'),
		options.previous,
	]);
	const stored = new Map<string, ManifestSource>();
	const context = contextOf(workshop, options, {workforce, state}, {worker, previous});
	const crew = enlist(plan, context, results);
	// The point need not wait for it: a snapshot of a file system may take long to remove.
	workforce.onDismiss(crew.close);
	tell({type: 'step', step: 'prepare'});
	await crew.prepare();
	tell({type: 'step', step: 'first-pass'});
	state.time = new Date();
	await tellingWhoWaits(crew.firstPass);
	state.still = await stillAgain(options, state);
	const swarm = await swarmOf(workshop.engine, options);
	await moment(
		{
			...workshop,
			...options,
			plan: {...plan, ...state.still},
			onTry() {
				if (Date.now() - state.time.getTime() > aheadMs) {
					state.time = new Date();
				}

				press.ready(beginningOf(workshop, options, {state, swarm}));
			},
			onWarning: message => warn(message, options, state),
			onWindow: windowMs => hold(windowMs, state),
		},
		crew,
	);
	options.onStoring?.();
	await crew.store(async (source, planned) => store(source, planned, options, {results, stored}));
	return stored.size === plan.sources.length ? manifestOf(workshop, options, {state, stored, swarm}) : undefined;
}

const pressOf = (workshop: Workshop, {plan: {sources}, signal}: BackupRun): Press =>
	createPress(workshop.restic(undefined, {lockPatienceSeconds}), {sources: sources.length, folder: workshop.folder, signal});

/** Nobody asks where that was a moment ago. That it cannot be known is no reason to have no backup. */
async function stillAgain(options: BackupRun, state: Progress): Promise<Still> {
	const {plan, startedAt, stillNow, keep} = options;
	if (Date.now() - startedAt.getTime() < stillMs) {
		return plan;
	}

	let still: Still;
	try {
		const now = await stillNow();
		const known = new Set([...now.quiesce, ...now.resting].map(({container}) => container.name));
		// Who is just being made anew is not seen, and is there in a moment.
		const isUnseen = ({container}: Plan['quiesce'][number]) => !known.has(container.name);
		still = {quiesce: [...now.quiesce, ...plan.quiesce.filter(isUnseen)], resting: [...now.resting, ...plan.resting.filter(isUnseen)]};
	} catch (error) {
		warn(`whether containers were started since the plan was made is not known: ${explain(error)}`, options, state);
		return plan;
	}

	await keep(still);
	return still;
}

function warn(message: string, {tell}: BackupRun, state: Progress): void {
	state.warnings.push(message);
	tell({type: 'warning', message});
}

/** Somebody stood still, or could not write, for so long. */
function hold(heldMs: number, state: Progress): void {
	state.quiesceSeconds = Math.max(state.quiesceSeconds, heldMs / 1000);
}

function contextOf(
	workshop: Workshop,
	options: BackupRun,
	{workforce, state}: Pick<Hands, 'workforce' | 'state'>,
	{worker, previous}: {worker: Worker; previous: Previous | undefined},
): SourceContext {
	const {run, plan, keepsAll = false, signal, tell, tellOnce} = options;
	const {target} = plan;
	const restic = workshop.restic(worker.run, {onTrouble: warner(tell), lockPatienceSeconds});
	return {
		...sourceContext(workshop, workforce, worker, {run, target, restic, time: () => state.time, signal, tell}),
		previous: previousOf(previous),
		keepsAll,
		rememberNewest: options.rememberNewest,
		pace: options.pace,
		warnOnce(source, messages) {
			if (tellOnce(`warnings of ${target} ${source}`, messages.length === 0 ? null : messages.join('\n'))) {
				for (const message of messages) {
					warn(message, options, state);
				}
			}
		},
		snapshots: snapshotsOf(workshop, options, workforce),
		room: createStagingRoom(worker.run, staging, signal),
		outage: {
			isMoment: isOfOneMoment(plan),
			stops: plan.quiesce.some(({action}) => action === 'stop'),
			isHooked: plan.hooks.length > 0,
			limitMs: plan.quiesceTimeoutMs,
			onHeld: heldMs => hold(heldMs, state),
		},
	};
}

function snapshotsOf(workshop: Workshop, {plan, tell}: BackupRun, workforce: Workforce): Snapshots | undefined {
	const folder = workshop.self.mounts.find(({path}) => path === snapshotsFolder);
	return folder === undefined || plan.snapshots.length === 0
		? undefined
		: {
				of: new Set(plan.snapshots),
				async open(name, path) {
					const from = inside(folder.hostPath, name);
					const {run} = await workforce.further([{type: 'bind', from, to: path, readOnly: true}]);
					return {worker: run, restic: workshop.restic(run, {onTrouble: warner(tell), lockPatienceSeconds})};
				},
			};
}

async function store(
	source: Source,
	planned: PlannedSource,
	{plan, tell}: BackupRun,
	{results, stored}: {results: Map<string, SourceResult>; stored: Map<string, ManifestSource>},
): Promise<void> {
	tell({type: 'step', step: 'store', subject: planned.name});
	const begun = performance.now();
	const kept = await source.store();
	stored.set(planned.name, describeSource(plan.target, planned, kept, (performance.now() - begun) / 1000));
	const {snapshot, bytes, addedBytes} = kept;
	results.set(planned.name, {source: planned.name, outcome: 'success', snapshot, bytes, addedBytes});
}

/** What stores its manifest knows of the point while there is nothing in it yet. */
const beginningOf = (
	{host, agentId: agent}: Workshop,
	{run, plan: {target}}: BackupRun,
	{state: {time}, swarm}: {state: Progress; swarm: Manifest['swarm']},
): Beginning => ({agent, run, target, time: time.toISOString(), host, ...(swarm && {swarm})});

const manifestOf = (
	workshop: Workshop,
	{run, plan, startedAt}: BackupRun,
	{state, stored, swarm}: {state: Progress; stored: ReadonlyMap<string, ManifestSource>; swarm: Manifest['swarm']},
) =>
	describePoint(workshop, {
		run,
		target: plan.target,
		startedAt,
		time: state.time,
		quiesced: state.still.quiesce.map(({container, action}) => ({container: container.name, action})),
		quiesceSeconds: state.quiesceSeconds,
		sources: plan.sources.flatMap(({name}) => stored.get(name) ?? []),
		...(swarm && {swarm}),
		...(plan.absent.length === 0 ? {} : {absent: absentOf(plan)}),
	});

/** The mounts that the file sources need; writable only where a kind must. */
function mountsOf(plan: Plan): WorkerMount[] {
	const mounts = new Map<string, WorkerMount>();
	for (const {name, kind, mount: own} of plan.sources) {
		if (own !== undefined) {
			const mount = workerMount(plan.target, {name, mount: own});
			const readOnly = !kindOf(kind).writesToMount && (mounts.get(mount.to)?.readOnly ?? true);
			mounts.set(mount.to, {...mount, readOnly});
		}
	}

	return [...mounts.values()];
}
