/** What is loaded takes the place of what is live, which is put back where the application is not well on it. */

import {explain, RunError} from '../../base/errors.ts';
import type {Tell} from '../../base/events.ts';
import {neverCancelled} from '../../base/patience.ts';
import {runningAmong, untilHealthy} from '../../docker/health.ts';
import type {Worker} from '../../docker/worker.ts';
import type {Restoring} from '../sources/restoring.ts';
import {confirmAll} from './confirm.ts';
import type {RestoreWorkshop} from './context.ts';
import type {OpenRestore} from './journal.ts';
import {judgedBy} from './judge.ts';
import {inOutage} from './outage.ts';
import type {Restoration} from './plan/plan.ts';
import {type Hands, notBack, takeBack} from './take-back.ts';

/** A source at work, and how the events name it. */
export type Member = Restoring & {subject: string; target: string};

export interface Replacing {
	run: string;
	restoration: Restoration;
	/** Names of those who were started since it was planned, and have in hand what is about to be replaced. */
	newcomers: () => Promise<string[]>;
	signal: AbortSignal;
	tell: Tell;
}

interface Loaded {
	crew: readonly Member[];
	worker: Worker;
	/** Undoes all that was made so far. @throws what it was told */
	undone: (error: unknown) => Promise<never>;
}

export async function replace(workshop: RestoreWorkshop, options: Replacing, hands: Hands, loaded: Loaded): Promise<void> {
	const {crew, worker, undone} = loaded;
	const {tell} = options;
	const ready = async () => inTurn(crew, async source => source.ready?.());
	await assertNobodyCame(options).then(ready).catch(undone);
	const running = await whoRan(workshop, options, hands).catch(undone);
	const startFailure = await swapInOutage(workshop, options, hands, {...loaded, well: running.well});
	const slow = await judged(workshop, running.well, hands.journal).catch(async (error: unknown) =>
		putBackUnwell(workshop, options, hands, {worker, ran: running.ran, startFailure, error}),
	);
	hands.journal.judged();
	if (startFailure !== undefined) {
		throw startFailure;
	}

	// Those that were not well before cannot tell whether the restored data is good.
	const others = containersOf(options).filter(({id}) => !running.well.some(other => other.id === id));
	for (const message of [...slow, ...(await untilHealthy(workshop.engine, others, running.unwell))]) {
		tell({type: 'warning', message});
	}
}

type Running = Awaited<ReturnType<typeof runningAmong>>;

const containersOf = ({restoration}: Replacing) => restoration.stop.map(({container}) => container);

async function whoRan({engine}: RestoreWorkshop, options: Replacing, {journal}: Hands): Promise<Running> {
	const running = await runningAmong(engine, containersOf(options));
	if (running.ran.length > 0) {
		journal.ran(running.ran);
	}

	return running;
}

const outageOf = ({run, restoration: {stop, stopLimitMs}, tell}: Replacing, {progress}: Hands) => ({
	run,
	stop,
	stopLimitMs,
	tell,
	progress,
});

/** @returns why not all could be started on it; undefined where all could @throws where it was not done: then all is as it was, or said */
async function swapInOutage(
	workshop: RestoreWorkshop,
	options: Replacing,
	hands: Hands,
	{crew, undone, well}: Loaded & Pick<Running, 'well'>,
): Promise<unknown> {
	const {journal, progress} = hands;
	let isBegun = false;
	try {
		await inOutage(workshop, outageOf(options, hands), async () => {
			isBegun = true;
			await swapAll(crew, options, journal)
				.then(() => journal.swapped(well.map(judgedBy)))
				.catch(undone);
			progress.done = true;
			progress.kept = journal.replacements();
			progress.into = options.restoration.into;
		});
		return undefined;
	} catch (error) {
		if (progress.done) {
			return error;
		}

		// Where not all would stand still, what was loaded is of no use.
		return isBegun ? Promise.reject(error) : undone(error);
	}
}

/** @returns what a person should know of those that take their time @throws where the application is not well on it */
async function judged({engine}: RestoreWorkshop, well: Running['well'], journal: OpenRestore): Promise<string[]> {
	const slow = await untilHealthy(engine, well);
	await confirmAll(journal.replacements(), {engine, signal: neverCancelled()});
	return slow;
}

interface Unwell {
	worker: Worker;
	ran: readonly string[];
	startFailure: unknown;
	error: unknown;
}

/** Whatever state the failed try has left them in: who ran before runs again. @throws always */
async function putBackUnwell(
	workshop: RestoreWorkshop,
	options: Replacing,
	hands: Hands,
	{worker, ran, startFailure, error}: Unwell,
): Promise<never> {
	const {journal, progress} = hands;
	options.tell({type: 'warning', message: `${explain(error)}; what was replaced is put back`});
	journal.phase('undoing');
	progress.done = false;
	progress.ending = undefined;
	let isTaken = false;
	await inOutage(workshop, {...outageOf(options, hands), wakes: new Set(ran)}, async () => {
		isTaken = true;
		await takeBack(workshop, options, hands, {worker, cause: error});
		progress.kept = [];
	}).catch((failure: unknown) => {
		throw isTaken ? failure : notBack(options.run, [startFailure, error, failure]);
	});
	throw new RunError('the application is not well on what was restored, so what was there before is back', {cause: error});
}

/** To load may have taken hours. @throws {RunError} */
async function assertNobodyCame({newcomers}: Replacing): Promise<void> {
	const names = (await newcomers()).map(name => `\`${name}\``);
	if (names.length > 0) {
		throw new RunError(
			`container ${names.join(', ')} was started while it was loaded, and uses what would be replaced: the plan does not stop it`,
			{hint: 'restore once more, then it is in the plan'},
		);
	}
}

async function swapAll(crew: readonly Member[], {signal, tell}: Replacing, journal: OpenRestore): Promise<void> {
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

export async function inTurn<Item>(items: readonly Item[], verb: (item: Item) => Promise<void>): Promise<void> {
	for (const item of items) {
		await verb(item);
	}
}
