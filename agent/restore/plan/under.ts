/** Files that are a running server's own must not be written under it: it would stop, and not come up again. */
import {type Container, type Mount, workerLabel} from '../../../docker/container.ts';
import type {Engine} from '../../../docker/engine.ts';
import {below, inside, isInside, mountOf, overlap, sharesStorage, shownIn} from '../../../docker/storage.ts';
import {escapePattern} from '../../restic/argv.ts';
import {kindOf, kinds} from '../../sources/kinds.ts';
import type {RestoringSource} from '../../sources/restoring.ts';
import type {Restoration} from './plan.ts';

interface Asked extends Pick<Restoration, 'sources' | 'stop'> {
	/** All of the engine. */
	containers: readonly Container[];
}

interface Server {
	software: string;
	folders: readonly string[];
}

/**
 * Of whichever container mounts what is written: each server says its folders as they are now. Of one that is stopped meanwhile, all of them may be
 * written together, and no part of them without the rest.
 */
export async function underServers({sources, stop, containers}: Asked, engine: Engine): Promise<string[]> {
	const stopped = new Set(stop.map(({container}) => container.id));
	const trees = sources.flatMap(source =>
		source.mount !== undefined && kindOf(source.kind).isTree ? [{...source, mount: source.mount}] : [],
	);
	const concerned = containers.filter(
		({state, labels, mounts}) =>
			state === 'running' &&
			labels[workerLabel] === undefined &&
			mounts.some(theirs => trees.some(({mount}) => sharesStorage(theirs, mount))),
	);
	const found = await Promise.all(
		concerned.map(async container => {
			const servers = await Promise.all(kinds.map(async kind => kind.serving?.(container, {engine})));
			return servers.flatMap(server =>
				server === undefined ? [] : servedProblems(server, container, {trees, isStopped: stopped.has(container.id)}),
			);
		}),
	);
	return found.flat();
}

/** Pure. */
export function servedProblems(
	{software, folders}: Server,
	container: Container,
	{trees, isStopped}: {trees: ReadonlyArray<RestoringSource & {mount: Mount}>; isStopped: boolean},
): string[] {
	const hits = folders.flatMap(folder => {
		const source = trees.find(tree => isUnder(tree, container, folder));
		return source === undefined ? [] : [{folder, source: source.name}];
	});
	const spared = folders.filter(folder => !hits.some(hit => hit.folder === folder));
	if (isStopped && spared.length === 0) {
		return [];
	}

	const which = isStopped ? ` and not the rest of it (\`${spared[0]}\`)` : ', which runs on';
	return hits.map(
		({folder, source}) =>
			`\`${source}\` would write a part (\`${folder}\`) of the ${software} server of container \`${container.name}\`${which}: restore the others with --only, its databases are dumps`,
	);
}

/** Whether a restore of the source would write in the folder. What its point left out is left alone. */
function isUnder({mount, paths, stored}: RestoringSource & {mount: Mount}, container: Container, folder: string): boolean {
	const theirs = mountOf(folder, container);
	const around = theirs && shownIn(theirs, mount, mount.path);
	if (theirs === undefined) {
		return false;
	}

	// The folder is all around what is written.
	if (around !== undefined && isInside(inside(theirs.path, around), folder)) {
		return true;
	}

	const within = shownIn(mount, theirs, folder);
	if (within === undefined) {
		return false;
	}

	const left = Array.isArray(stored.details.exclude) ? stored.details.exclude.map(String) : [];
	const isLeft = parentsOf(within).some(path => left.includes(escapePattern(path)));
	return paths === undefined ? !isLeft : paths.some(path => overlap(path, within));
}

/** Itself among them, not the root: `/a/b` gives `/a` and `/a/b`. */
const parentsOf = (path: string): string[] =>
	below(path, '/')
		.split('/')
		.filter(Boolean)
		.map((_, index, names) => `/${names.slice(0, index + 1).join('/')}`);
