import type {PlannedSource} from '../source.ts';
import type {PlannedVolume} from './plan.ts';

/** Mounts of other sources that lie in this one, by their paths in the container. */
export function mountedInside({container, mount}: PlannedVolume, all: readonly PlannedSource[]): string[] {
	const mounts = all.flatMap(other => (other.container.id === container.id && other.mount !== undefined ? [other.mount.path] : []));
	return [...new Set(mounts)].filter(path => path.startsWith(`${mount.path}/`));
}
