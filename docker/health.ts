/** Waits for containers that were started. Starting is a process: it may take its time, and more than one try. */
import {setTimeout as delay} from 'node:timers/promises';
import {ResumeError} from '../base/errors.ts';
import type {Container} from './container.ts';
import type {ContainerDetails} from './details.ts';
import type {Engine} from './engine.ts';
import {statusOf, unlessGone} from './refusal.ts';
import {untilServiceRuns} from './swarm.ts';

/** Whoever starts over and over, or is out of sight with its engine, gets at least this long. */
const leastPatienceMs = 60_000;

/** A container that dies this soon after its start has failed to start. */
const settleMs = 1500;

export interface Start {
	/** `slow`: neither up nor down when its own time was over, so it may come up yet. `gone`: it was removed, or another is in its place. */
	verdict: 'up' | 'slow' | 'unhealthy' | 'down' | 'gone';
	/** For people: `is restarting (exit code 1)`. Empty where it is up. */
	problem: string;
	exitCode: number;
}

/** When a start is over: as soon as it runs, when it has run for a moment, or when its health check says so (without one: as for a moment). */
type Until = 'running' | 'settled' | 'healthy';

/** The time that the container itself asks for: until its health check must have decided. */
const patienceOf = ({healthPatienceMs = 0}: Pick<ContainerDetails, 'healthPatienceMs'>): number =>
	Math.max(leastPatienceMs, healthPatienceMs);

/** Looks on until the start is over, one way or the other. */
export async function untilStarted(engine: Engine, id: string, until: Until): Promise<Start> {
	const begun = Date.now();
	let patienceMs = leastPatienceMs;
	let run = {startedAt: '', since: begun};
	for (;;) {
		const details = await engine.inspect(id).catch(outOfSight);
		if (details === undefined) {
			return {verdict: 'gone', problem: 'is gone', exitCode: 0};
		}

		const now = Date.now();
		const isOver = now - begun > patienceMs;
		if (details === 'out of sight') {
			if (isOver) {
				return {verdict: 'slow', problem: 'cannot be seen: the engine does not answer', exitCode: 0};
			}
		} else {
			patienceMs = patienceOf(details);
			run = run.startedAt === details.startedAt ? run : {startedAt: details.startedAt, since: now};
			const start = judge(details, until, {isOver, ranMs: now - run.since});
			if (start !== undefined) {
				return start;
			}
		}

		await delay(100);
	}
}

function judge(
	{state, health, exitCode}: ContainerDetails,
	until: Until,
	{isOver, ranMs}: {isOver: boolean; ranMs: number},
): Start | undefined {
	const stopped = {problem: `is ${state} (exit code ${exitCode})`, exitCode};
	if (state === 'restarting') {
		return isOver ? {verdict: 'down', ...stopped} : undefined;
	}

	if (state !== 'running') {
		return {verdict: 'down', ...stopped};
	}

	const isHealthy = health === undefined ? until === 'running' || ranMs >= settleMs : health === 'healthy';
	if (isHealthy || (until !== 'healthy' && ranMs >= (until === 'running' ? 0 : settleMs))) {
		return {verdict: 'up', problem: '', exitCode};
	}

	if (health === 'unhealthy') {
		return {verdict: 'unhealthy', problem: 'is unhealthy', exitCode};
	}

	return isOver ? {verdict: 'slow', problem: 'is still starting', exitCode} : undefined;
}

const outOfSight = (error: unknown): undefined | 'out of sight' => (statusOf(error) === 404 ? undefined : 'out of sight');

/**
 * Those without a health check only have to run; one that is gone is nobody's to judge.
 * @param before for people, by id: how those were that were not well before it
 * @returns what is still starting although its own time is over, for people
 * @throws {ResumeError} that names those that do not run, or are unhealthy
 */
export async function untilHealthy(
	engine: Engine,
	containers: ReadonlyArray<Pick<Container, 'id' | 'name' | 'swarm'>>,
	before: ReadonlyMap<string, string> = new Map(),
): Promise<string[]> {
	const starts = await Promise.all(
		containers.map(async ({id, name, swarm}) => {
			if (swarm !== undefined) {
				const verdict = await untilServiceRuns(engine, swarm.service);
				const problem = verdict === 'down' ? 'does not run' : 'is still starting';
				return {verdict, isKnown: false, message: `the Swarm service \`${swarm.name}\` ${problem} after the restore`};
			}

			const {verdict, problem} = await untilStarted(engine, id, 'healthy');
			const was = before.get(id);
			const known = was === undefined ? '' : `, as it did not run well before either: it ${was}`;
			return {verdict, isKnown: was !== undefined, message: `container \`${name}\` ${problem} after the restore${known}`};
		}),
	);
	const isRefused = (start?: {verdict: Start['verdict']}) => start?.verdict === 'down' || start?.verdict === 'unhealthy';
	const refused = starts.filter(isRefused);
	if (refused.length > 0) {
		const names = containers.filter((_, index) => isRefused(starts[index])).map(({name}) => name);
		throw new ResumeError(refused.map(({message}) => message).join('; '), {
			hint: `${refused.every(({isKnown}) => isKnown) ? 'what was restored is in place; why it does not run' : 'why'}: ${names.map(name => `docker logs ${name}`).join('; ')}`,
		});
	}

	return starts.filter(({verdict}) => verdict === 'slow').map(({message}) => message);
}

/** Names of those that run, or try to; which of them are well, and by id how the others are. */
export async function runningAmong<Known extends {id: string; name: string}>(
	engine: Engine,
	containers: readonly Known[],
): Promise<{ran: string[]; well: Known[]; unwell: Map<string, string>}> {
	const seen = await Promise.all(
		containers.map(async container => ({container, details: await engine.inspect(container.id).catch(unlessGone)})),
	);
	const ran = seen.flatMap(({container, details}) => (details !== undefined && isRunning(details) ? [{container, details}] : []));
	const isWell = ({details: {state, health}}: (typeof ran)[number]) => state === 'running' && health !== 'unhealthy';
	return {
		ran: ran.map(({container: {name}}) => name),
		well: ran.filter(isWell).map(({container}) => container),
		unwell: new Map(ran.filter(one => !isWell(one)).map(({container: {id}, details}) => [id, howUnwell(details)])),
	};
}

const howUnwell = ({state, exitCode, restartCount = 0}: ContainerDetails): string =>
	state === 'restarting' ? `was restarting over and over (exit code ${exitCode}, ${restartCount} times)` : 'was unhealthy';

const isRunning = ({state}: ContainerDetails): boolean => state === 'running' || state === 'restarting';
