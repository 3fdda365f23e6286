/**
 * Every wait has an end. The rule, in one place:
 *
 * - A question has a time limit of its own, in which an answer is to be there: `answered`.
 * - Work and streams may take as long as they like, but not stand still for longer than `HOLDFAST_STALL_LIMIT`: `moving`, and for whole runs
 *   `agent/runs/stall.ts`, which counts what the workers do, too.
 * - What is done for a run ends with the run's signal, also what has not begun yet: `unlessAborted`. What is done for nobody's run (a request, a look)
 *   stands under the first two rules.
 */
import {RunError} from './errors.ts';
import {duration} from './units.ts';

/** For what must not be left half done: its end is waited for. One each time, because whoever listens to a signal is kept by it. */
export const neverCancelled = (): AbortSignal => new AbortController().signal;

let limitMs = 30 * 60_000;

/** Once, where the configuration is read: a process has one limit. */
export function useStallLimit(configured: number): void {
	limitMs = configured;
}

/** How long anything may stand still. */
export const stallLimitMs = (): number => limitMs;

/** @param ms where it is another limit than that of all */
export const standsStill = (what: string, ms?: number): RunError =>
	new RunError(
		`${what}: nothing came for ${duration((ms ?? limitMs) / 1000)}`,
		ms === undefined ? {hint: 'HOLDFAST_STALL_LIMIT says how long anything may stand still'} : {},
	);

/**
 * @param late takes what comes after the limit: nobody else does
 * @throws {RunError} that says on what it was waited
 */
export async function answered<Value>(
	what: string,
	asked: Promise<Value>,
	{withinMs, late = () => {}}: {withinMs: number; late?: (value: Value) => void},
): Promise<Value> {
	const {promise: over, reject} = Promise.withResolvers<never>();
	let isOver = false;
	const timer = setTimeout(() => {
		isOver = true;
		reject(new RunError(`${what} gave no answer within ${duration(withinMs / 1000)}`));
	}, withinMs);
	asked.then(
		value => isOver && late(value),
		() => {},
	);
	return Promise.race([asked, over]).finally(() => clearTimeout(timer));
}

/** The same chunks, at the pace of their reader. @throws {RunError} when one that was asked for does not come within the limit */
export async function* moving<Chunk>(stream: AsyncIterable<Chunk>, what: string, ms?: number): AsyncGenerator<Chunk> {
	const chunks = stream[Symbol.asyncIterator]();
	let isStill = false;
	try {
		for (;;) {
			const {promise: still, reject} = Promise.withResolvers<never>();
			const timer = setTimeout(() => {
				isStill = true;
				reject(standsStill(what, ms));
			}, ms ?? limitMs);
			const {value, done} = await Promise.race([chunks.next(), still]).finally(() => clearTimeout(timer));
			if (done) {
				return;
			}

			yield value;
		}
	} finally {
		// One that stands still does not hear this either.
		const ended = chunks.return?.();
		ended?.catch(() => {});
		if (!isStill) {
			await ended;
		}
	}
}

/** @throws the signal's reason, at once. What comes all the same is nobody's: who can come late looks at the signal itself */
export async function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
	if (signal === undefined) {
		return work;
	}

	const {promise: aborted, reject} = Promise.withResolvers<never>();
	aborted.catch(() => {});
	const abort = () => reject(signal.reason);
	signal.aborted ? abort() : signal.addEventListener('abort', abort, {once: true});
	work.catch(() => {});
	return Promise.race([aborted, work]).finally(() => signal.removeEventListener('abort', abort));
}
