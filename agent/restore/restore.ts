/** A restore run: load beside what is live, check it, stop the dependents, keep what is overwritten, swap, start again. */

import {explain, RunError} from '../../base/errors.ts';
import type {Tell} from '../../base/events.ts';
import {label} from '../../base/label.ts';
import type {RestoreResult} from '../../base/results.ts';
import {runningAmong, untilHealthy} from '../../docker/health.ts';
import type {Worker} from '../../docker/worker.ts';
import {type Previous, previousOf} from '../backup/previous.ts';
import {sourceContext} from '../runs/source-context.ts';
import {kindOf, writingOf} from '../sources/kinds.ts';
import {mountsOf} from '../sources/mounts.ts';
import {describeTolerated, type RestoreContext, type Restoring, type RestoringSource, subjectOf} from '../sources/restoring.ts';
import {confirmAll} from './confirm.ts';
import {filesContext, type RestoreWorkshop, restoreRun} from './context.ts';
import {aroundRestore} from './hooks.ts';
import {type OpenRestore, openRestoreJournal} from './journal.ts';
import {judgedBy} from './judge.ts';
import {inOutage} from './outage.ts';
import type {Restoration} from './plan/plan.ts';
import {fileProblems, wayWarnings, withWays} from './plan/room.ts';
import {clearLeft, type Hands, notBack, takeBack} from './take-back.ts';

export interface RestoreRun {
	run: string;
	startedAt: Date;
	restoration: Restoration;
	/** The newest point of each target: files that did not change since need not be read again for the safety point. */
	previous: ReadonlyMap<string, Previous | undefined>;
	/** No repository can be written: nothing of what is overwritten is kept, and a person knows it. */
	isUnkept: boolean;
	/** What must be left where files are loaded beside what is live. */
	marginBytes: number;
	/** Names of those who were started since it was planned, and have in hand what is about to be replaced. */
	newcomers: () => Promise<string[]>;
	signal: AbortSignal;
	tell: Tell;
}

/** Never rejects: whatever happens is the outcome. */
export async function restore(workshop: RestoreWorkshop, options: RestoreRun): Promise<RestoreResult> {
	const {run, restoration} = options;
	const journal = openRestoreJournal(workshop.restores, {
		run,
		target: restoration.target,
		point: pointIds(restoration),
		keptIn: workshop.keeper.name,
	});
	return restoreRun(workshop, {...options, target: restoration.target, point: pointIds(restoration)}, async (workforce, progress) =>
		work(workshop, options, {workforce, journal, progress, left: [], isBack: false}),
	);
}

/** The ids of the points, of which there are several when a project is restored. */
export const pointIds = ({points}: Restoration): string => points.map(({id}) => id).join(',');

/** A source at work, and how the events name it. */
type Member = Restoring & {subject: string; target: string};

async function work(workshop: RestoreWorkshop, asked: RestoreRun, hands: Hands): Promise<void> {
	const {run, signal, tell} = asked;
	const {workforce} = hands;
	const {sources} = asked.restoration;
	const worker = await workforce.repository(mountsOf(sources), writingOf(sources.map(({name}) => name)));
	const options = await decided(workshop, asked, worker);
	const {restoration} = options;
	const context = contextOf(workshop, options, hands, worker);
	const crew = restoration.sources.map((source, index) => ({
		subject: subjectOf(source, restoration.target),
		target: source.target,
		...kindOf(source.kind).restore(source, context(source), {index, all: restoration.sources}),
	}));
	const undone = async (error: unknown): Promise<never> => {
		await takeBack(workshop, options, hands, {worker, cause: error});
		throw error;
	};

	try {
		await inTurn(crew, async source => {
			signal.throwIfAborted();
			tell({type: 'step', step: 'load', subject: source.subject});
			await source.load();
			if (source.check !== undefined) {
				tell({type: 'step', step: 'check', subject: source.subject});
				await source.check().catch(refuse);
			}
		}).catch(undone);
		await aroundRestore(workshop, {
			run,
			hooks: restoration.hooks,
			signal,
			tell,
			work: async () => replace(workshop, options, hands, {crew, worker, undone}),
			onRefused: undone,
		});
	} finally {
		await Promise.allSettled(crew.map(async source => source.close()));
		await clearLeft(hands, tell);
	}
}

interface Loaded {
	crew: readonly Member[];
	worker: Worker;
	/** Undoes all that was made so far. @throws what it was told */
	undone: (error: unknown) => Promise<never>;
}

/** What is loaded takes the place of what is live, which is put back where the application is not well on it. */
async function replace(workshop: RestoreWorkshop, options: RestoreRun, hands: Hands, {crew, worker, undone}: Loaded): Promise<void> {
	const {run, restoration, tell} = options;
	const {journal, progress} = hands;
	await assertNobodyCame(options)
		.then(async () => inTurn(crew, async source => source.ready?.()))
		.catch(undone);
	const containers = restoration.stop.map(({container}) => container);
	const {ran, well, unwell} = await runningAmong(workshop.engine, containers)
		.then(found => {
			if (found.ran.length > 0) {
				journal.ran(found.ran);
			}

			return found;
		})
		.catch(undone);

	const {stop, stopLimitMs} = restoration;
	const outage = {run, stop, stopLimitMs, tell, progress};
	let startFailure: unknown;
	let isBegun = false;
	try {
		await inOutage(workshop, outage, async () => {
			isBegun = true;
			await swapAll(crew, options, journal)
				.then(() => journal.swapped(well.map(judgedBy)))
				.catch(undone);
			progress.done = true;
			progress.kept = journal.replacements();
			progress.into = restoration.into;
		});
	} catch (error) {
		if (!progress.done) {
			// Where not all would stand still, what was loaded is of no use.
			return isBegun ? Promise.reject(error) : undone(error);
		}

		startFailure = error;
	}

	const judged = async () => {
		const slow = await untilHealthy(workshop.engine, well);
		await confirmAll(journal.replacements(), {engine: workshop.engine, signal: new AbortController().signal});
		return slow;
	};
	const slow = await judged().catch(async (error: unknown) => {
		tell({type: 'warning', message: `${explain(error)}; what was replaced is put back`});
		journal.phase('undoing');
		progress.done = false;
		let isTaken = false;
		// Whatever state the failed try has left them in: who ran before runs again.
		await inOutage(workshop, {...outage, wakes: new Set(ran)}, async () => {
			isTaken = true;
			await takeBack(workshop, options, hands, {worker, cause: error});
			progress.kept = [];
		}).catch((failure: unknown) => {
			throw isTaken ? failure : notBack(run, [startFailure, error, failure]);
		});
		throw new RunError('the application is not well on what was restored, so what was there before is back', {cause: error});
	});
	journal.judged();
	if (startFailure !== undefined) {
		throw startFailure;
	}

	// Those that were not well before cannot tell whether the restored data is good.
	const others = containers.filter(({id}) => !well.some(other => other.id === id));
	for (const message of [...slow, ...(await untilHealthy(workshop.engine, others, unwell))]) {
		tell({type: 'warning', message});
	}
}

/** With how each source is written. @throws where there is no room, or where what is live cannot be changed */
async function decided({restic}: RestoreWorkshop, options: RestoreRun, {run: worker}: Worker): Promise<RestoreRun> {
	const {restoration, marginBytes, signal, tell} = options;
	const asked = {worker, restic: restic(worker), signal};
	const sources = restoration.isDecided ? restoration.sources : await withWays(restoration.sources, asked, marginBytes);
	const told = new Set(wayWarnings(restoration.sources));
	for (const message of wayWarnings(sources).filter(each => !told.has(each))) {
		tell({type: 'warning', message});
	}

	const problems = await fileProblems(sources, asked);
	if (problems.length > 0) {
		throw new RunError(problems.join('; '), {hint: 'nothing was changed; try again when that is mended'});
	}

	return {...options, restoration: {...restoration, sources}};
}

/** To load may have taken hours. @throws {RunError} */
async function assertNobodyCame({newcomers}: RestoreRun): Promise<void> {
	const names = (await newcomers()).map(name => `\`${name}\``);
	if (names.length > 0) {
		throw new RunError(
			`container ${names.join(', ')} was started while it was loaded, and uses what would be replaced: the plan does not stop it`,
			{hint: 'nothing was changed; restore once more, then it is in the plan'},
		);
	}
}

async function swapAll(crew: readonly Member[], {signal, tell}: RestoreRun, journal: OpenRestore): Promise<void> {
	await inTurn(crew, async source => {
		signal.throwIfAborted();
		tell({type: 'step', step: 'safety-point', subject: source.subject});
		await source.keep();
	});
	signal.throwIfAborted();
	journal.phase('swapping');
	await inTurn(crew, async source => {
		signal.throwIfAborted();
		tell({type: 'step', step: 'swap', subject: source.subject});
		journal.touch({target: source.target, source: source.name});
		await source.swap();
	});
}

function refuse(error: unknown): never {
	throw new RunError('what was loaded does not stand its check', {
		cause: error,
		hint: `nothing was changed; where this state may rightly say no to \`${label('drill.sql')}\`: --skip-drill-sql`,
	});
}

async function inTurn<Item>(items: readonly Item[], verb: (item: Item) => Promise<void>): Promise<void> {
	for (const item of items) {
		await verb(item);
	}
}

function contextOf(
	workshop: RestoreWorkshop,
	{run, restoration, previous, isUnkept, signal, tell, startedAt}: RestoreRun,
	{workforce, journal, progress}: Hands,
	worker: Worker,
): (source: RestoringSource) => RestoreContext {
	const files = filesContext(workshop, worker.run, tell);
	const {target: asked} = restoration;
	const common = sourceContext(workshop, workforce, worker, {...files, run, target: asked, time: () => startedAt, signal, tell});
	return ({target}) => ({
		...common,
		...files,
		target,
		keeper: isUnkept ? undefined : filesContext({...workshop, restic: workshop.keeper.restic}, worker.run),
		previous: previousOf(previous.get(target)),
		remember: replacement => journal.remember({...replacement, target}),
		tolerate(tolerated) {
			progress.tolerated.push(tolerated);
			tell({type: 'warning', message: describeTolerated(tolerated)});
		},
	});
}
