/** Who lives in the namespace of another container, and has lost it: it runs, and reaches nothing. */
import type {Finding} from '../../base/shapes/targets.ts';
import {type Container, isUp, workerLabel} from '../../docker/container.ts';
import type {Engine} from '../../docker/engine.ts';
import {unlessGone} from '../../docker/refusal.ts';
import {strandedIn} from '../../docker/stranded.ts';

/** @param containers those that are examined @param known all of the engine */
export async function examineNamespaces(
	engine: Pick<Engine, 'inspect'>,
	containers: readonly Container[],
	known: readonly Container[],
): Promise<Finding[]> {
	const living = containers.filter(
		container => isUp(container) && container.livesIn?.length && container.labels[workerLabel] === undefined,
	);
	const found = await Promise.all(living.map(async container => lostBy(engine, container, known)));
	return found.flatMap((lost, index) => (lost === undefined ? [] : [{level: 'warning', subject: living[index]?.name ?? '', ...lost}]));
}

async function lostBy(
	engine: Pick<Engine, 'inspect'>,
	container: Container,
	known: readonly Container[],
): Promise<Pick<Finding, 'message' | 'hint'> | undefined> {
	const stranded = strandedIn(container, known);
	if (stranded !== undefined) {
		return {message: `${stranded.why}: it runs cut off, is not stopped by a backup, and a restore is refused`, hint: stranded.hint};
	}

	const startedAt = async (id: string) => Date.parse((await engine.inspect(id).catch(unlessGone))?.startedAt ?? '');
	const own = await startedAt(container.id);
	for (const host of container.livesIn ?? []) {
		if ((await startedAt(host)) > own) {
			const {name = host} = known.find(({id}) => id === host) ?? {};
			return {
				message: `it lives in the network, PID or IPC namespace of container \`${name}\`, which was started anew since: it may be cut off`,
				hint: `docker restart ${container.name}`,
			};
		}
	}

	return undefined;
}
