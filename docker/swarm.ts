/**
 * A service of Docker Swarm that stands still, and runs again. In the place of a task that is stopped Swarm puts another at once, so a service is
 * stopped by the number of its tasks; a task that is paused stays.
 */
import {setTimeout as delay} from 'node:timers/promises';
import {RunError} from '../base/errors.ts';
import type {EngineInfo} from './calls/info.ts';
import type {Engine} from './engine.ts';
import type {SwarmService, SwarmTask} from './stack.ts';

/** Undefined where the engine is no manager of a Swarm, which is not asked, for a proxy need not let it; and where a proxy does not let it. Never rejects. */
export async function servicesOfManager(
	engine: Pick<Engine, 'services'>,
	{isManager = false}: Pick<EngineInfo, 'isManager'>,
): Promise<SwarmService[] | undefined> {
	return isManager ? engine.services().catch(() => undefined) : undefined;
}

/** @throws where a container says that it is a task, and Swarm does not know it as one */
export async function assertTask(engine: Engine, {service, name}: SwarmTask, containerId: string): Promise<void> {
	const tasks = await engine.tasks(service);
	if (!tasks.some(({container}) => container === containerId)) {
		throw new RunError(`a container says that it is a task of the Swarm service \`${name}\`, and Swarm does not know it as one`, {
			hint: 'remove the labels `com.docker.swarm.…` that somebody else has set on it',
		});
	}
}

const lookEveryMs = 200;

/** Tasks that end this soon after they began have not started. */
const settleMs = 1500;

/** Swarm starts a task again by itself; so many that failed are no accident. */
const failuresCounted = 3;

/** The time that a service gets to start, on top of its own health checks: an image may have to be loaded. */
const patienceMs = 180_000;

/** Waits until as many tasks of a service run as there are to be: with a health check they run when it says so. One that is gone is nobody's to judge. */
export async function untilServiceRuns(engine: Engine, service: string): Promise<'up' | 'slow' | 'down'> {
	const begun = Date.now();
	let upSince: number | undefined;
	for (;;) {
		const now = Date.now();
		const [known, tasks] = await Promise.all([engine.service(service), engine.tasks(service)]).catch(() => ['out of sight', []] as const);
		if (known === undefined) {
			return 'up';
		}

		const isUp = known !== 'out of sight' && known.replicas > 0 && known.running >= known.replicas;
		upSince = isUp ? (upSince ?? now) : undefined;
		if (upSince !== undefined && now - upSince >= settleMs) {
			return 'up';
		}

		const failed = tasks.filter(({state, since}) => state === 'failed' && since >= begun).length;
		if (failed >= failuresCounted) {
			return 'down';
		}

		if (now - begun > patienceMs) {
			return failed > 0 ? 'down' : 'slow';
		}

		await delay(lookEveryMs);
	}
}
