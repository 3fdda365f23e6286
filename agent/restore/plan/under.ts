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
				server === undefined ? [] : servedProblems(server, container, {trees, sources, isStopped: stopped.has(container.id)}),
			);
		}),
	);
	return found.flat();
}

type Tree = RestoringSource & {mount: Mount};

/** Pure. */
export function servedProblems(
	{software, folders}: Server,
	container: Container,
	{trees, sources, isStopped}: {trees: readonly Tree[]; sources: readonly RestoringSource[]; isStopped: boolean},
): string[] {
	const hits = folders.flatMap(folder => {
		const source = trees.find(tree => isUnder(tree, container, folder));
		return source === undefined ? [] : [{folder, source}];
	});
	const spared = folders.filter(folder => !hits.some(hit => hit.folder === folder));
	if (isStopped && spared.length === 0) {
		return [];
	}

	const which = isStopped ? ` and not the rest of it (\`${spared[0]}\`)` : ', which runs on';
	return hits.map(
		({folder, source}) =>
			`\`${source.name}\` would write a part (\`${folder}\`) of the ${software} server of container \`${container.name}\`${which}: ${withoutIt(
				source,
				sources,
				trees.filter(tree => folders.some(each => isUnder(tree, container, each))),
			)}`,
	);
}

/** The next step, to be typed as it stands: what else the target has; and where all of a project is restored, the other targets by themselves. */
function withoutIt({target}: Tree, sources: readonly RestoringSource[], under: readonly Tree[]): string {
	const isUnderServer = ({name, ...source}: RestoringSource) => under.some(tree => tree.name === name && tree.target === source.target);
	const commandFor = (of: string): string[] => {
		const own = sources.filter(source => source.target === of);
		const others = own.filter(source => !isUnderServer(source));
		const isAll = others.length === own.length && own.every(({paths}) => paths === undefined);
		const only = isAll ? '' : ` --only ${others.flatMap(namesOf).map(argument).join(' ')}`;
		return others.length === 0 ? [] : [`\`holdfast restore ${argument(of)}${only}\``];
	};
	const targets = [...new Set([target, ...sources.map(source => source.target)])];
	const commands = targets.flatMap(commandFor);
	return commands.length === 0
		? 'nothing else is in this point; what the server has is backed up with a label of its own'
		: `restore the rest without it, with the same --point: ${commands.join(', then ')}`;
}

/** As `--only` knows it. */
const namesOf = ({stored: {source}, paths}: RestoringSource): string[] => paths?.map(path => source + path) ?? [source];

/** As a shell takes it. */
const argument = (text: string): string => (/^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** Whether a restore of the source would write in the folder. What its point left out is left alone. */
function isUnder({mount, paths, stored}: Tree, container: Container, folder: string): boolean {
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
