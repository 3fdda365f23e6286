/** What a restore replaced is put back, by the restore itself when it fails, or by an undo. */

import {setTimeout as delay} from 'node:timers/promises';
import {explain, NotFoundError} from '../../base/errors.ts';
import type {Tell} from '../../base/events.ts';
import {neverCancelled} from '../../base/patience.ts';
import {undoOrFinish} from '../../base/ways-out.ts';
import {statusOf} from '../../docker/refusal.ts';
import type {Worker, Workforce} from '../../docker/worker.ts';
import type {WorkerMount} from '../../docker/worker-mounts.ts';
import {readReplaced, writingOf} from '../sources/kinds.ts';
import {keyOf, type Replaced, subjectOf, type UndoContext, withReplaced} from '../sources/restoring.ts';
import {filesContext, type RestoreWorkshop} from './context.ts';

/** Half of the new data is no state in which an application may be started: it is tried again this long what may pass, such as a repository out of reach. */
const patienceMs = 2 * 60_000;

/** What was made beside the live data disturbs nobody; but a worker that was killed takes a moment to be gone. */
const untouchedPatienceMs = 10_000;

const retryMs = 1000;

export interface RollBack {
	/** In the order in which they were swapped. */
	replacements: readonly Replaced[];
	/** Of replacements that name none. */
	target: string;
	container: (replacement: Replaced) => {id: string; name: string};
	/** One that may be dead by now; none: one is hired. */
	worker?: Worker | undefined;
	/** The live data was touched: then it is tried again and again. */
	isTouched: boolean;
	/** Called for each when it is back. */
	onBack: (replacement: Replaced) => void;
	/** Writes to the journal what one says of itself meanwhile. */
	remember: (replacement: Replaced) => void;
	/** Takes what may be done when the application runs again. */
	later: UndoContext['later'];
	tell: Tell;
}

/** For people, of a restore that could not be put back. */
export const waysOut = (run: string): string => undoOrFinish(run, 'when the cause is mended', 'or, to keep what is there now');

/** Where what was replaced belongs. @throws {NotFoundError} */
export const containerIn =
	(containers: ReadonlyMap<string, {id: string; name: string}>) =>
	(replacement: Replaced): {id: string; name: string} => {
		const container = containers.get(keyOf(replacement));
		if (container === undefined) {
			throw new NotFoundError(`\`${replacement.source}\` has no container any more`, {
				hint: 'make it again with `docker compose up --no-start`; or where it is gone for good, `holdfast restore finish RUN --force` lets go of it',
			});
		}

		return container;
	};

/** The engine says no, and would say so again; a worker that was killed and is not yet missed is heard of once in this way, too. */
export function isRefusal(error: unknown): boolean {
	const status = statusOf(error);
	const causes = error instanceof AggregateError ? error.errors : error instanceof Error && error.cause !== undefined ? [error.cause] : [];
	return error instanceof NotFoundError || [400, 403, 404].includes(status ?? 0) || (causes.length > 0 && causes.every(isRefusal));
}

/** @returns why some could not be put back; nothing when all is as it was */
export async function rollBackAll(workshop: RestoreWorkshop, workforce: Workforce, options: RollBack): Promise<unknown[]> {
	const deadline = Date.now() + (options.isTouched ? patienceMs : untouchedPatienceMs);
	const mounts = mountsOfReplaced(options.replacements);
	let {worker} = options;
	let left = options.replacements.toReversed();
	let refused = '';
	const remember = (replacement: Replaced) => {
		left = withReplaced(left, replacement);
		options.remember(replacement);
	};
	for (;;) {
		const failures: unknown[] = [];
		const failed: Replaced[] = [];
		try {
			worker = await alive(workshop, worker, async () =>
				workforce.repository(mounts, writingOf(options.replacements.map(({source}) => source))),
			);
			for (const replacement of left) {
				await rollBackOne(workshop, worker, replacement, {...options, remember}).catch((error: unknown) => {
					failures.push(error);
					failed.push(replacement);
				});
				if (!failed.includes(replacement)) {
					noteBack(replacement, options);
				}
			}

			left = left.filter(each => failed.some(other => keyOf(other) === keyOf(each)));
		} catch (error) {
			failures.push(error);
		}

		const why = failures.length === 0 ? '' : explain(new AggregateError(failures));
		const isFinal = failures.every(isRefusal) && why === refused;
		if (failures.length === 0 || isFinal || Date.now() >= deadline) {
			return failures;
		}

		refused = why;
		options.tell({type: 'warning', message: `not all could be put back yet, trying again: ${why}`});
		await delay(retryMs);
	}
}

/** It is back, be it written down or not: the journal of a disk that is full knows it still (state/journals.ts), and to put it back once more would take time. */
function noteBack(replacement: Replaced, {onBack, tell}: RollBack): void {
	try {
		onBack(replacement);
	} catch (error) {
		tell({type: 'warning', message: `\`${replacement.source}\` is put back, which could not be written down: ${explain(error)}`});
	}
}

async function rollBackOne(
	workshop: RestoreWorkshop,
	worker: Worker,
	replacement: Replaced,
	{target, container, later, tell, remember}: RollBack,
): Promise<void> {
	tell({type: 'step', step: 'swap', subject: subjectOf({...replacement, name: replacement.source}, target)});
	const {kind, old} = readReplaced(replacement);
	await kind.rollBack(old, {
		// A lock could be had by nobody on a disk that is full, nor while another prunes; and what a snapshot names is removed by neither.
		...filesContext(workshop, worker.run, tell, {withoutLock: true}),
		target: replacement.target ?? target,
		// A cancel is not heeded: half of it is no state to stay in.
		signal: neverCancelled(),
		tell,
		later,
		remember,
		container: () => container(replacement),
	});
}

/** What was killed cannot put anything back. */
async function alive({engine}: RestoreWorkshop, worker: Worker | undefined, hire: () => Promise<Worker>): Promise<Worker> {
	const state = worker && (await engine.inspect(worker.id).catch(() => undefined))?.state;
	return worker !== undefined && state === 'running' ? worker : hire();
}

export function mountsOfReplaced(replacements: readonly Replaced[]): WorkerMount[] {
	const mounts = replacements.flatMap(({mount}) => mount ?? []);
	return [...new Map(mounts.map(mount => [mount.to, mount])).values()];
}
