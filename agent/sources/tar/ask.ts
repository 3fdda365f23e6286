/** What only a look at the running container tells of its paths: where they really are, and what was mounted in it while it ran. */
import {dirname} from 'node:path/posix';
import {output, type Place} from '../../../base/command.ts';
import {label} from '../../../base/label.ts';
import {quote} from '../../../base/reading/quote.ts';
import type {Container} from '../../../docker/container.ts';
import type {Engine} from '../../../docker/engine.ts';
import {inContainer} from '../../../docker/exec.ts';
import {readMountinfo} from '../../../docker/mountinfo.ts';
import type {Asked, Means} from '../kind.ts';
import {type Amiss, whatIsAt} from '../there.ts';

export interface TarAnswer {
	/** By the path as the label has it: the same without links on the way. */
	real: ReadonlyMap<string, string>;
	/** Where something is mounted, the kernel's own included; undefined where that could not be seen. */
	mountPoints: readonly string[] | undefined;
	/** What is not there, or only leads elsewhere. */
	amiss: readonly Amiss[];
}

const patienceMs = 20_000;

/** Undefined: there is nobody to ask. */
export const askTar = (asked: Asked<readonly string[]>, means: Means): Promise<TarAnswer> | undefined =>
	asked.policy.length === 0 ? undefined : look(asked.container, asked.policy, means);

/** @param means without `hire` nothing but the container's own programs can look */
export async function look(
	container: Container,
	paths: readonly string[],
	{engine, hire}: Pick<Means, 'engine'> & Partial<Pick<Means, 'hire'>>,
): Promise<TarAnswer> {
	const [real, amiss] = await Promise.all([
		Promise.all(paths.map(async path => [path, await realPath(engine, container.id, path)] as const)),
		Promise.all(paths.map(async path => amissAt(engine, container.id, path))),
	]);
	return {real: new Map(real), amiss: amiss.flat(), mountPoints: await seen(engine, container, hire).catch(() => undefined)};
}

async function amissAt(engine: Engine, id: string, path: string): Promise<Amiss[]> {
	const seen = await whatIsAt(engine, id, path);
	if (seen === null) {
		return [{path, why: 'does not exist', hint: `correct the label \`${label('tar')}\`, or start the application, if it is what makes it`}];
	}

	return seen?.linkTarget ? [{path, why: `is a link to ${quote(seen.linkTarget)}`, hint: 'name the path that it leads to'}] : [];
}

/** Links among the folders above are followed; the path itself may be none, which is seen when it is read. */
async function realPath(engine: Engine, id: string, path: string): Promise<string> {
	const folder = dirname(path);
	if (folder === '/') {
		return path;
	}

	const above = await realPath(engine, id, folder);
	const {linkTarget} = await engine.stat(id, above).catch(() => ({linkTarget: ''}));
	return (linkTarget === '' ? above : linkTarget) + path.slice(folder.length);
}

/** By a program of the container; else by one of ours, beside its first process. */
async function seen(engine: Engine, container: Container, hire: Means['hire'] | undefined): Promise<string[] | undefined> {
	if (container.state !== 'running' && container.state !== 'paused') {
		return [];
	}

	const own = container.state === 'running' ? await read(inContainer(engine, container.id), 'self') : undefined;
	return own ?? beside(engine, container, hire);
}

async function read(place: Place, process: string): Promise<string[] | undefined> {
	const argv = ['cat', `/proc/${process}/mountinfo`] as const;
	const {exitCode, stdout} = await output(place, {argv, signal: AbortSignal.timeout(patienceMs)}).catch(() => ({exitCode: 1, stdout: ''}));
	return exitCode === 0 ? readMountinfo(stdout).map(({path}) => path) : undefined;
}

async function beside(engine: Engine, {id}: Container, hire: Means['hire'] | undefined): Promise<string[] | undefined> {
	const {pidMode} = await engine.inspect(id);
	if (hire === undefined || pidMode !== '') {
		return undefined;
	}

	const workforce = await hire();
	try {
		const {run} = await workforce.dump(id);
		return await read(run, '1');
	} finally {
		await workforce.dismiss();
	}
}
