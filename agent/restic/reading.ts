/** Reads what a snapshot holds. */
import {linesOf} from '../../base/lines.ts';
import * as argv from './argv.ts';
import {type Caller, eachLine} from './call.ts';
import type {Locking} from './locking.ts';
import {listedNode, parseEntry} from './messages.ts';
import type {Reading} from './restic.ts';

export const reading = ({start, read}: Caller, {patiently}: Locking): Reading => ({
	dump: (snapshot, path, signal) =>
		start({action: `reading ${path} of snapshot ${snapshot}`, arguments: patiently(argv.dump(snapshot, path)), signal}),
	peek: (snapshot, path, signal) =>
		start({action: `reading the beginning of ${path} of snapshot ${snapshot}`, arguments: argv.peek(snapshot, path), signal}),
	dumpFolder: (snapshot, folder, signal) =>
		start({action: `reading ${folder} of snapshot ${snapshot}`, arguments: patiently(argv.dumpFolder(snapshot, folder)), signal}),
	async list({snapshot, folder, only, onEntry, signal}) {
		const call = {action: `listing ${folder} of snapshot ${snapshot}`, arguments: patiently(argv.list({snapshot, folder, only})), signal};
		await read(call, stdout =>
			eachLine(stdout, line => {
				const entry = parseEntry(line);
				if (entry?.path.startsWith(`${folder}/`)) {
					onEntry({...entry, path: entry.path.slice(folder.length + 1)});
				}
			}),
		);
	},
	async find(snapshot, path, signal) {
		const call = {action: `looking for ${path} in snapshot ${snapshot}`, arguments: patiently(argv.find(snapshot, path)), signal};
		let found: {bytes: number; type: string} | undefined;
		await read(call, async stdout => {
			for await (const line of linesOf(stdout)) {
				const node = listedNode.parse(JSON.parse(line));
				found = node.path === path ? {bytes: node.size ?? 0, type: node.type ?? ''} : found;
			}
		});
		return found;
	},
});
