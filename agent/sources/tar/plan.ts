/** The paths on a container's own file system that are backed up. */
import {quote} from '../../../base/reading/quote.ts';
import {describeStorage, isInside, mountOf} from '../../../docker/storage.ts';
import type {Scope} from '../kind.ts';
import type {PlannedSource} from '../source.ts';

export interface PlannedPath extends PlannedSource {
	kind: 'tar';
	path: string;
}

export function tarSources({container, policy, group, prefix, remarks}: Scope<readonly string[]>): PlannedPath[] {
	return policy.flatMap((path): PlannedPath[] => {
		const mount = mountOf(path, container);
		if (mount !== undefined) {
			remarks.problem(
				`\`${prefix}tar\` must name paths on the container's own file system, and ${quote(path)} is in the mount ${quote(mount.path)} (${describeStorage(mount)})`,
				`use \`${prefix}volumes\``,
			);
			return [];
		}

		const kernel = ['/proc', '/sys', '/dev'].find(folder => isInside(path, folder));
		if (kernel !== undefined) {
			remarks.problem(`\`${prefix}tar\` must name files, and ${quote(path)} is of the kernel's ${kernel}`);
			return [];
		}

		return [{name: `${group}tar:${path}`, container, kind: 'tar', path}];
	});
}
