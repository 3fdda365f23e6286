/**
 * The program that runs in the worker, not in the agent: it removes those names of files that have others, too. It can be done twice.
 *
 *     node links.program.ts ROOT <PATHS → {}: no file at any of PATHS has another name; below ROOT, each ended by NUL
 *     any → {"error": …}
 */
import {readSync, realpathSync, unlinkSync} from 'node:fs';
import {answer} from '../beside.ts';
import {found, meant} from './trees.ts';

/** Standard input, a part at a time: it may name millions. */
function* paths(): Generator<string> {
	const block = Buffer.alloc(65_536);
	let rest = Buffer.alloc(0);
	for (let length = readSync(0, block); length > 0; length = readSync(0, block)) {
		rest = Buffer.concat([rest, block.subarray(0, length)]);
		for (let end = rest.indexOf(0); end !== -1; end = rest.indexOf(0)) {
			yield rest.subarray(0, end).toString();
			rest = rest.subarray(end + 1);
		}
	}
}

const [root = ''] = process.argv.slice(2);
answer(() => {
	const top = Buffer.from(realpathSync(root));
	for (const path of paths()) {
		for (const file of meant(top, path.split('/'))) {
			const entry = found(file);
			if (entry?.isFile() && entry.nlink > 1n) {
				unlinkSync(file);
			}
		}
	}
});
