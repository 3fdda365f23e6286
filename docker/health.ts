/** Waits for containers that were started again. */
import {setTimeout as delay} from 'node:timers/promises';
import {ResumeError} from '../base/errors.ts';
import type {Engine} from './engine.ts';

/** A health check that has not decided by then is not waited for any longer. */
const patienceMs = 3 * 60_000;

/** Those without a health check only have to run. @throws {ResumeError} that names those that do not, or are unhealthy */
export async function untilHealthy(engine: Engine, containers: ReadonlyArray<{id: string; name: string}>): Promise<void> {
	const deadline = Date.now() + patienceMs;
	const failures = await Promise.all(containers.map(async container => healthProblem(engine, container, deadline)));
	const problems = failures.filter(problem => problem !== undefined);
	if (problems.length > 0) {
		throw new ResumeError(problems.join('; '), {hint: 'see its log: docker logs'});
	}
}

/** Those that run and are not unhealthy. */
export async function wellAmong<Known extends {id: string}>(engine: Engine, containers: readonly Known[]): Promise<Known[]> {
	const details = await Promise.all(containers.map(async ({id}) => engine.inspect(id)));
	return containers.filter((_, index) => details[index]?.state === 'running' && details[index].health !== 'unhealthy');
}

async function healthProblem(engine: Engine, {id, name}: {id: string; name: string}, deadline: number): Promise<string | undefined> {
	for (;;) {
		const {state, health, exitCode} = await engine.inspect(id);
		if (state !== 'running') {
			return `container \`${name}\` is ${state} (exit code ${exitCode}) after the restore`;
		}

		if (health === undefined || health === 'healthy') {
			return undefined;
		}

		if (health === 'unhealthy' || Date.now() > deadline) {
			return `container \`${name}\` is ${health} after the restore`;
		}

		await delay(200);
	}
}
