/** Services of Swarm that ask for a backup where only managers hear it. */
import type {Finding} from '../../base/shapes/targets.ts';
import type {Container} from '../../docker/container.ts';
import type {Engine} from '../../docker/engine.ts';
import type {SwarmService} from '../../docker/stack.ts';

/** What is asked for by `deploy.labels` alone is not seen on a node that is no manager: its agent finds no target in such a task, and nobody misses one. */
export async function examineServices(
	engine: Pick<Engine, 'tasks'>,
	{services = [], containers}: {services: readonly SwarmService[] | undefined; containers: ReadonlyArray<Pick<Container, 'id' | 'swarm'>>},
	prefix: string,
): Promise<Finding[]> {
	const isMember = containers.some(({swarm}) => swarm !== undefined);
	const asking = (isMember ? services : []).filter(
		({labels, taskLabels = {}}) => labels[`${prefix}enable`] === 'true' && taskLabels[`${prefix}enable`] === undefined,
	);
	if (asking.length === 0) {
		return [];
	}

	const here = new Set(containers.map(({id}) => id));
	const found = await Promise.all(
		asking.map(async ({id, name}): Promise<Finding[]> => {
			const running = (await engine.tasks(id)).filter(({state, container}) => state === 'running' && container !== undefined);
			const elsewhere = running.filter(({container = ''}) => !here.has(container)).length;
			return elsewhere === 0
				? []
				: [
						{
							level: 'warning',
							subject: name,
							message: `it is enabled by \`deploy.labels\` alone, which only managers see, and ${elsewhere} of its running tasks ${elsewhere === 1 ? 'is' : 'are'} on another node: where that is no manager, nobody backs it up`,
							hint: 'put the labels of Holdfast under `labels:` of the service, where every node sees them',
						},
					];
		}),
	);
	return found.flat();
}
