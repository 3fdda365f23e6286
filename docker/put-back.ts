/** The end of a window: who was quiesced is put back, and is looked after until it is up. */
import {setTimeout as delay} from 'node:timers/promises';
import {ResumeError} from '../base/errors.ts';
import type {Engine} from './engine.ts';
import {type Start, untilStarted} from './health.ts';
import {EndedError, isUndoable, needsIn, type Undo, undoOne} from './resume.ts';
import type {Quiesce, Touched} from './still.ts';
import {untilServiceRuns} from './swarm.ts';

/** Who dies at its start, and is not restarted by the engine, is started again: what it needs may have been late. */
const startAttempts = 3;

/** In the reverse order, all at once but for those that need another to be up first. */
export async function resume(options: Quiesce, touched: readonly Touched[]): Promise<{failures: unknown[]; back: Touched[]}> {
	const {engine, onWarning} = options;
	const failures: unknown[] = [];
	const back: Touched[] = [];
	const attempts = new Map<string, Promise<void>>();
	for (const one of touched.toReversed()) {
		const isNeeded = touched.some(({undo}) => needsIn(undo).includes(one.id));
		const putBack = async () => {
			await Promise.all(needsIn(one.undo).map(async id => attempts.get(id)));
			try {
				await resumeOne(options, one);
				back.push(one);
			} catch (error) {
				failures.push(error);
				return;
			}

			if (isNeeded && one.undo.kind === 'start') {
				const {verdict, problem} = await untilStarted(engine, one.id, 'healthy');
				if (verdict !== 'up' && verdict !== 'gone') {
					onWarning?.(`container \`${one.name}\` ${problem}; those that need it are started all the same`);
				}
			}
		};
		attempts.set(one.id, putBack());
	}

	await Promise.all(attempts.values());
	return {failures, back};
}

async function resumeOne({engine, journal}: Quiesce, {undo, entry, pendingMs, isAnswered}: Touched): Promise<void> {
	if (pendingMs !== undefined && undo.kind !== 'scale') {
		await untilHappened(engine, undo, pendingMs).catch((error: unknown) => {
			if (!isAnswered) {
				throw error;
			}
		});
	}

	try {
		await undoOne(engine, undo, undefined, pendingMs !== undefined);
	} catch (error) {
		if (error instanceof EndedError) {
			journal.clear(entry);
		}

		throw error;
	}

	journal.clear(entry);
}

/** A call that nobody heard the end of, or that failed on its way, is not taken for done or undone. @throws {ResumeError} when it may happen even later: then it stays in the journal */
async function untilHappened(engine: Engine, undo: Undo, patienceMs: number): Promise<void> {
	const deadline = Date.now() + patienceMs;
	while (!(await isUndoable(engine, undo).catch(() => false))) {
		if (Date.now() > deadline) {
			const verb = undo.kind === 'start' ? 'stop' : 'pause';
			throw new ResumeError(
				`the engine was asked to ${verb} container \`${undo.containerName}\`, did not say that it has, and may do so yet`,
				{
					hint: `it is put back then; look at it with \`docker ps\``,
				},
			);
		}

		await delay(200);
	}
}

export async function settled(promises: ReadonlyArray<Promise<unknown>>): Promise<unknown[]> {
	return (await Promise.allSettled(promises)).flatMap(result => (result.status === 'rejected' ? [result.reason] : []));
}

export const mustStayUp = ({undo, crashes}: Touched): boolean => undo.kind === 'scale' || (undo.kind === 'start' && !crashes);

/** One that exits and comes up is up; one that is slow is told. */
export async function watchStart(
	{engine, onWarning}: Pick<Quiesce, 'engine' | 'onWarning'>,
	{id, name, undo}: Pick<Touched, 'id' | 'name' | 'undo'>,
): Promise<void> {
	if (undo.kind === 'scale') {
		if ((await untilServiceRuns(engine, undo.service)) !== 'up') {
			onWarning?.(`the Swarm service \`${undo.serviceName}\` was scaled to ${undo.replicas} again, and not all of its tasks run yet`);
		}

		return;
	}

	for (let attempt = 1; ; attempt++) {
		const start = await untilStarted(engine, id, 'settled');
		if (start.verdict !== 'down') {
			if (start.problem !== '' && start.verdict !== 'gone') {
				onWarning?.(`container \`${name}\` was started again but ${start.problem}`);
			}

			return;
		}

		if (attempt === startAttempts || start.exitCode === 0 || !(await startedAnew(engine, id))) {
			throw notRunning(name, start);
		}
	}
}

/** Only one that the engine leaves down. */
async function startedAnew(engine: Engine, id: string): Promise<boolean> {
	try {
		const {state} = await engine.inspect(id);
		if (state === 'exited') {
			await engine.start(id);
		}

		return state === 'exited';
	} catch {
		return false;
	}
}

const notRunning = (name: string, {problem}: Start) =>
	new ResumeError(`container \`${name}\` was started again but ${problem}`, {
		hint: `see \`docker logs ${name}\`, then run \`docker start ${name}\``,
	});
