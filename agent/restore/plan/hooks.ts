/** The commands that run around a restore, and around its undo. Pure. */
import type {Container} from '../../../docker/container.ts';
import type {PlannedHook} from '../../plan/planned.ts';
import type {Target} from '../../targets/target.ts';

/**
 * Of every service of these targets, whichever of their sources are restored.
 * @param stop who is stopped, and started again afterwards
 */
export function planHooks(
	targets: readonly Target[],
	stop: ReadonlyArray<{container: Pick<Container, 'id'>}>,
): {hooks: PlannedHook[]; warnings: string[]} {
	const hooks: PlannedHook[] = [];
	const warnings: string[] = [];
	for (const {container, policy} of targets.flatMap(({members}) => members)) {
		for (const [when, hook] of [
			['before', policy.restoreBefore],
			['after', policy.restoreAfter],
		] as const) {
			const isStopped = stop.some(({container: {id}}) => id === container.id);
			if (hook !== undefined && container.swarm !== undefined && isStopped) {
				warnings.push(
					`the hook \`restore.${when}\` is not run: Swarm makes a new container in the place of \`${container.name}\`, which is stopped`,
				);
				continue;
			}

			const answers = container.state === 'running' || (when === 'after' && isStopped);
			if (hook !== undefined && answers) {
				hooks.push({container, hook, when});
			} else if (hook !== undefined) {
				warnings.push(`the hook \`restore.${when}\` is not run: container \`${container.name}\` is ${container.state}`);
			}
		}
	}

	return {hooks, warnings};
}
