/**
 * The program that runs in the worker, not in the agent: it takes folders out of the way of files and links that are to be there. It can be done twice.
 *
 *     node way.program.ts ROOT RUN <PATHS → {}: there is no folder at any of PATHS, a JSON list of paths below ROOT
 *     any → {"error": …}
 *
 * With a RUN they are kept beside, under a name that no backup takes and no restore removes; without one they are removed.
 */
import {globSync, lstatSync, readFileSync, realpathSync, renameSync, rmSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {answer, sync} from '../beside.ts';
import {restoreFiles} from '../kept-names.ts';

/** Everything in it is on one file system, and nothing of it is kept for an undo. @throws otherwise */
function assertFree(folder: string): void {
	const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
	if (
		mounts.some(line =>
			(line.split(' ')[4] ?? '')
				.replaceAll(/\\(\d{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)))
				.startsWith(`${folder}/`),
		)
	) {
		throw new Error(`${folder} is in the way, and something is mounted in it`);
	}

	const kept = globSync(
		restoreFiles.patterns.map(pattern => `**/${pattern}`),
		{cwd: folder},
	);
	if (kept.length > 0) {
		throw new Error(`${folder} is in the way, and holds what an earlier restore keeps: ${kept[0]}`);
	}
}

const [root = '', run = ''] = process.argv.slice(2);
answer(() => {
	const top = realpathSync(root);
	for (const path of JSON.parse(readFileSync(0, 'utf8')) as string[]) {
		const folder = join(top, path);
		const parent = dirname(folder);
		// Nothing behind a link is ours to move.
		if (lstatSync(folder, {throwIfNoEntry: false})?.isDirectory() && realpathSync(parent) === parent) {
			assertFree(folder);
			if (run === '') {
				rmSync(folder, {recursive: true});
			} else {
				renameSync(folder, join(parent, restoreFiles.old(basename(folder), run)));
			}

			sync(parent);
		}
	}
});
