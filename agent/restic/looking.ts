/** Looks into snapshots, for people: what is there, where something is, what differs. */
import {quoteAll} from '../../base/reading/quote.ts';
import {compare, look, search} from './argv.ts';
import {type Caller, eachLine} from './call.ts';
import {eachElement} from './elements.ts';
import type {Locking} from './locking.ts';
import {parseChange, parseNode, searched} from './messages.ts';
import type {Looking} from './restic.ts';

export const looking = ({read, failed}: Caller, {patiently}: Locking): Looking => ({
	async look(options) {
		const {snapshot, path, onNode, signal} = options;
		const call = {action: `looking at ${path} in snapshot ${snapshot}`, arguments: patiently(look(options)), signal};
		await read(call, stdout =>
			eachLine(stdout, line => {
				const node = parseNode(line);
				if (node) {
					onNode(node);
				}
			}),
		);
	},
	async search(options) {
		const {patterns, onMatches, signal} = options;
		const call = {action: `looking for ${quoteAll(patterns)}`, arguments: patiently(search(options)), signal};
		const isWhole = await read(call, stdout =>
			eachElement(stdout, element => {
				const {snapshot, matches} = searched.parse(element);
				onMatches(snapshot, matches ?? []);
			}),
		);
		if (!isWhole) {
			throw failed(call, 'restic exited with 0 but what it found is not whole');
		}
	},
	async compare(options) {
		const {from, to, onChange, signal} = options;
		const call = {
			action: `comparing ${from.folder} of snapshot ${from.snapshot} with ${to.folder} of snapshot ${to.snapshot}`,
			arguments: patiently(compare(options)),
			signal,
		};
		await read(call, stdout =>
			eachLine(stdout, line => {
				const change = parseChange(line);
				if (change) {
					onChange(change);
				}
			}),
		);
	},
});
