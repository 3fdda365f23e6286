/** restic puts no file or link in the place of a folder that holds something: such folders are taken out of the way. */
import {lastLines, type Place} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {shippedProgram} from '../../../base/shipped.ts';
import {isInside} from '../../../docker/storage.ts';
import type {Restic} from '../../restic/restic.ts';
import {answered} from './answered.ts';

const program = shippedProgram('agent/sources/volume/way.program');

/** What the agent remembers of them is bounded: this many folders, and this many that are in the way. */
const mostFolders = 200_000;
const mostInTheWay = 10_000;

interface Way {
	restic: Restic;
	worker: Place;
	from: {snapshot: string; path: string};
	/** The folder that the snapshot is written to. */
	to: string;
	/** Given: they are kept beside, under this name, because they may hold what a restore leaves alone. */
	keepAs: string | undefined;
	/** From the root: neither these nor what holds them is taken away. */
	spared: readonly string[];
	signal: AbortSignal;
}

/** What is restic's word for it. */
export const isInTheWay = (error: unknown): boolean => error instanceof Error && /directory not empty/i.test(error.message);

/** @returns what was taken away, from the folder's root @throws where that would touch a mount, what is spared, or what is kept for an undo */
export async function makeWay({restic, worker, from, to, keepAs, spared, signal}: Way): Promise<string[]> {
	const folders = await foldersBelow(worker, to, signal);
	const inTheWay: string[] = [];
	await restic.list({
		snapshot: from.snapshot,
		folder: from.path,
		signal,
		onEntry({path, type}) {
			const isSpared = spared.some(own => isInside(`/${path}`, own));
			if (type !== 'dir' && folders.has(path) && !isSpared && inTheWay.length < mostInTheWay) {
				inTheWay.push(path);
			}
		},
	});
	await takeAway(inTheWay, {worker, to, keepAs, spared, signal});
	return inTheWay;
}

/** @param inTheWay folders, from the root @throws where that would touch a mount, what is spared, or what is kept for an undo */
export async function takeAway(
	inTheWay: readonly string[],
	{worker, to, keepAs, spared, signal}: Pick<Way, 'worker' | 'to' | 'keepAs' | 'spared' | 'signal'>,
): Promise<void> {
	const holding = inTheWay.find(path => spared.some(own => isInside(own, `/${path}`)));
	if (holding !== undefined) {
		throw new RunError(`${to}/${holding} is in the way of a file, and has a folder of Holdfast's own in it`);
	}

	const running = await worker({argv: [...program, to, keepAs ?? ''], stdin: true, signal});
	running.stdin.end(JSON.stringify(inTheWay));
	await answered(running);
}

async function foldersBelow(worker: Place, to: string, signal: AbortSignal): Promise<Set<string>> {
	const finding = await worker({argv: ['find', to, '-mindepth', '1', '-type', 'd', '-printf', '%P\\0'], signal});
	const folders = new Set<string>();
	let rest = '';
	for await (const chunk of finding.stdout.setEncoding('utf8')) {
		const names = (rest + chunk).split('\0');
		rest = names.pop() ?? '';
		for (const name of names) {
			folders.add(name);
		}

		if (folders.size > mostFolders) {
			await finding.kill();
			throw new RunError(`there are more than ${mostFolders} folders, and some of them are in the way of files`);
		}
	}

	const {exitCode, stderr} = await finding.done;
	if (exitCode !== 0) {
		throw new RunError(`the folders of ${to} cannot be listed: ${lastLines(stderr)}`);
	}

	return folders;
}
