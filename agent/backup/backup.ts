/** A backup run, from its plan to its restore point. */

import {explain} from '../../base/errors.ts';
import {type Tell, warner} from '../../base/events.ts';
import {once, single} from '../../base/once.ts';
import type {BackupResult, Outcome, SourceResult} from '../../base/results.ts';
import {staging, type WorkerMount, type Workforce} from '../../docker/worker.ts';
import {isOfOneMoment, type Plan} from '../plan/planned.ts';
import type {ManifestSource} from '../repository/manifest.ts';
import {publish} from '../repository/points.ts';
import {withWorkers} from '../runs/shell.ts';
import type {Workshop} from '../runs/workshop.ts';
import {kindOf} from '../sources/kinds.ts';
import {workerMount} from '../sources/mounts.ts';
import type {SourceContext} from '../sources/source.ts';
import {createStagingRoom} from '../sources/staging-room.ts';
import {enlist, type Member, NothingLeftError} from './crew.ts';
import {describePoint, describeSource} from './describe.ts';
import {lockPatienceSeconds, tellingOfLocks} from './locked.ts';
import {moment} from './moment.ts';
import {type Previous, previousOf} from './previous.ts';

export interface BackupRun {
	run: string;
	plan: Plan;
	startedAt: Date;
	/** The newest point of the target: what did not change since need not be read again. */
	previous: Previous | undefined;
	/** Nothing is removed from the repository again: as little as can be is stored that is no point. */
	keepsAll?: boolean;
	signal: AbortSignal;
	tell: Tell;
	/** Remembers what was told of a subject; null: nothing more. False: just that was told before. */
	tellOnce: (subject: string, what: string | null) => boolean;
}

interface Progress {
	quiesceSeconds: number;
	published: boolean;
	warnings: string[];
}

/** Never rejects: whatever happens is the outcome. */
export async function backup(workshop: Workshop, options: BackupRun): Promise<BackupResult> {
	const {run, plan, startedAt} = options;
	const sources = new Map<string, SourceResult>(
		plan.sources.map(({name}) => [name, {source: name, outcome: 'failed', snapshot: null, bytes: 0, addedBytes: 0}]),
	);
	const state: Progress = {quiesceSeconds: 0, published: false, warnings: []};
	const failures = await withWorkers(workshop, options, async workforce => work(workshop, options, workforce, sources, state));
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
		outcome: outcomeOf(state.published, errors.length + absent.length, results.length - failed.length),
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
function outcomeOf(published: boolean, errors: number, succeeded: number): Outcome {
	if (published) {
		return errors === 0 ? 'success' : 'partial';
	}

	return succeeded > 0 ? 'partial' : 'failed';
}

async function work(
	workshop: Workshop,
	{run, plan, startedAt, previous, keepsAll = false, signal, tell, tellOnce}: BackupRun,
	workforce: Workforce,
	results: Map<string, SourceResult>,
	state: Progress,
): Promise<void> {
	const worker = await workforce.repository(mountsOf(plan), 'read');
	let time = startedAt;
	const warn = (message: string): void => {
		state.warnings.push(message);
		tell({type: 'warning', message});
	};
	const context: SourceContext = {
		run,
		target: plan.target,
		engine: workshop.engine,
		worker: worker.run,
		dumpWorker: once(workforce.dump),
		clientWorker: single(workforce.client),
		restic: workshop.restic(worker.run, {onTrouble: warner(tell), lockPatienceSeconds}),
		staging,
		host: workshop.host,
		agent: workshop.agentId,
		time: () => time,
		previous: previousOf(previous),
		keepsAll,
		warnOnce(source, messages) {
			if (tellOnce(`warnings of ${plan.target} ${source}`, messages.length === 0 ? null : messages.join('\n'))) {
				messages.forEach(warn);
			}
		},
		room: createStagingRoom(worker.run, staging, signal),
		outage: {
			isMoment: isOfOneMoment(plan),
			stops: plan.quiesce.some(({action}) => action === 'stop'),
			isHooked: plan.hooks.length > 0,
			limitMs: plan.quiesceTimeoutMs,
			onHeld(heldMs) {
				state.quiesceSeconds = Math.max(state.quiesceSeconds, heldMs / 1000);
			},
		},
		signal,
		tell,
	};
	const crew = enlist(plan, context, results, signal);
	const stored = new Map<string, ManifestSource>();
	try {
		tell({type: 'step', step: 'prepare'});
		await crew.each(async source => source.prepare());
		tell({type: 'step', step: 'first-pass'});
		await tellingOfLocks(workshop.restic(), tell, async () => crew.each(async source => source.firstPass()));
		const asleep = new Set(plan.quiesce.map(({container}) => container.id));
		const answersOnlyBefore = ({planned, source}: Member) => source.pinNeedsItsContainer && asleep.has(planned.container.id);
		await moment({
			...workshop,
			run,
			plan,
			signal,
			tell,
			async arm() {
				time = new Date();
				await crew.each(async source => source.arm());
			},
			pinBefore: async inside => crew.each(async source => source.pin(inside), answersOnlyBefore),
			// What may be refused goes first: a try that is given up must not have stored anything.
			async pin(inside) {
				await crew.each(
					async source => source.pin(inside),
					member => !answersOnlyBefore(member) && !member.source.pinStores,
				);
				await crew.each(
					async source => source.pin(inside),
					({source}) => source.pinStores,
				);
			},
			onWarning: warn,
			onWindow(windowMs) {
				state.quiesceSeconds = Math.max(state.quiesceSeconds, windowMs / 1000);
			},
		});
		await crew.inTurn(async (source, planned) => {
			tell({type: 'step', step: 'store', subject: planned.name});
			const begun = performance.now();
			const kept = await source.store();
			stored.set(planned.name, describeSource(plan.target, planned, kept, (performance.now() - begun) / 1000));
			results.set(planned.name, {
				source: planned.name,
				outcome: 'success',
				snapshot: kept.snapshot,
				bytes: kept.bytes,
				addedBytes: kept.addedBytes,
			});
		});
	} finally {
		await crew.close();
	}

	if (stored.size === plan.sources.length) {
		tell({type: 'step', step: 'publish'});
		const manifest = describePoint(workshop, {
			run,
			target: plan.target,
			startedAt,
			time,
			quiesced: plan.quiesce.map(({container, action}) => ({container: container.name, action})),
			quiesceSeconds: state.quiesceSeconds,
			sources: plan.sources.flatMap(({name}) => stored.get(name) ?? []),
			...(plan.absent.length === 0 ? {} : {absent: absentOf(plan)}),
		});
		await tellingOfLocks(workshop.restic(), tell, async () =>
			publish(workshop.restic(undefined, {lockPatienceSeconds}), manifest, workshop.folder, signal),
		);
		state.published = true;
	}
}

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
