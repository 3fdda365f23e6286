/** The paths on a container's own file system that are backed up. */
import {label} from '../../../base/label.ts';
import type {Problem} from '../../../base/problem.ts';
import {quote} from '../../../base/reading/quote.ts';
import type {Container} from '../../../docker/container.ts';
import {describeStorage, isInside, mountOf} from '../../../docker/storage.ts';
import type {Scope} from '../kind.ts';
import type {PlannedSource} from '../source.ts';
import type {TarAnswer} from './ask.ts';

export interface PlannedPath extends PlannedSource {
	kind: 'tar';
	path: string;
}

export function tarSources({container, policy, answer, group, prefix, remarks}: Scope<readonly string[], TarAnswer>): PlannedPath[] {
	if (answer !== undefined && answer.mountPoints === undefined) {
		remarks.note(
			`whether anything was mounted in the paths of \`${prefix}tar\` while the container ran could not be seen: that would be missing`,
		);
	}

	return policy.flatMap((path): PlannedPath[] => {
		const obstacle = obstacleTo(path, container, answer);
		if (obstacle !== undefined) {
			remarks.problem(`\`${prefix}tar\` must name files on the container's own file system, and ${obstacle.message}`, obstacle.hint);
			return [];
		}

		const name = `${group}tar:${path}`;
		const amiss = answer?.amiss.find(each => each.path === path);
		if (amiss !== undefined) {
			remarks.miss(name, `\`${prefix}tar\` names ${quote(path)}, which ${amiss.why}`, amiss.hint);
			return [];
		}

		return [{name, container, kind: 'tar', path}];
	});
}

/** The kernel's own. */
const kernel = ['/proc', '/sys', '/dev'];

/** What the engine itself mounts into every container. */
const ofEngine = ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/run/.containerenv', '/sbin/docker-init'];

/**
 * Why the engine cannot carry a path: it knows the container's own layer and the mounts that it made from folders and volumes. What lies in memory, or was
 * mounted in the running container, it reads as the empty folder below, and would write there.
 */
export function obstacleTo(path: string, container: Container, answer: TarAnswer | undefined): Problem | undefined {
	const real = answer?.real.get(path) ?? path;
	const what = real === path ? quote(path) : `${quote(path)} (${quote(real)})`;
	const {memory = [], mounts, isRootReadOnly} = container;
	const covers = (place: string): boolean => isInside(real, place);
	const isBelow = (place: string): boolean => place !== real && isInside(place, real);

	const mount = mountOf(real, container);
	if (mount !== undefined) {
		return {
			message: `${what} is in the mount ${quote(mount.path)} (${describeStorage(mount)})`,
			hint: `use \`${label('volumes')}\``,
		};
	}

	const ofKernel = kernel.find(covers);
	if (ofKernel !== undefined) {
		return {message: `${what} is of the kernel's ${ofKernel}`};
	}

	const own = [...memory, ...mounts.map(each => each.path)];
	const foreign = (answer?.mountPoints ?? []).filter(
		place => place !== '/' && !own.includes(place) && !kernel.some(folder => isInside(place, folder)),
	);
	const volatile = memory.find(covers) ?? memory.find(isBelow);
	if (volatile !== undefined) {
		return {
			message: `${what} ${covers(volatile) ? 'is in' : 'has in it'} the tmpfs ${quote(volatile)}, which is memory of the running container: the engine cannot read it`,
			hint: `mount a volume there and use \`${label('volumes')}\`, or name paths beside it`,
		};
	}

	const inner = mounts.find(each => isBelow(each.path));
	if (inner !== undefined) {
		return {
			message: `${what} has the mount ${quote(inner.path)} (${describeStorage(inner)}) in it, which would be written with it in a restore`,
			hint: `name the paths beside it, and the mount with \`${label('volumes')}\``,
		};
	}

	const strange = foreign.find(covers) ?? foreign.find(place => isBelow(place) && !ofEngine.includes(place));
	if (strange !== undefined) {
		return {
			message: `${what} ${covers(strange) ? 'is in' : 'has in it'} ${quote(strange)}, which was mounted in the running container: the engine cannot read it`,
			hint: `mount it with Compose and use \`${label('volumes')}\`, or name paths beside it`,
		};
	}

	return isRootReadOnly
		? {
				message: `${what} is on a root that is mounted read-only: it is as the image has it, and could not be put back`,
				hint: `remove the label; what changes is in a mount: use \`${label('volumes')}\``,
			}
		: undefined;
}
