/** What is done with all of a repository, or with many of its snapshots. */
import {text} from 'node:stream/consumers';
import * as argv from './argv.ts';
import {type Caller, eachCount} from './call.ts';
import type {Locking} from './locking.ts';
import {statsContent} from './messages.ts';
import type {Upkeep} from './restic.ts';

export const upkeep = ({read}: Caller, {patiently}: Locking): Upkeep => ({
	async copy({from, snapshots, signal, ...limits}) {
		for (const batch of argv.batches(snapshots)) {
			const copying = argv.copy({snapshots: batch, from, ...limits});
			await read({action: 'copying snapshots', arguments: patiently(copying), from, signal}, text);
		}
	},
	async forget(snapshots, signal) {
		for (const batch of argv.batches(snapshots)) {
			await read({action: 'removing snapshots', arguments: patiently(argv.forget(batch)), signal}, text);
		}
	},
	async prune({signal, onCount = () => {}} = {}) {
		await read({action: 'pruning', arguments: patiently(argv.prune), signal, plain: true}, stdout => eachCount(stdout, onCount));
	},
	async check({read: part, signal, onCount = () => {}} = {}) {
		const call = {action: 'checking', arguments: patiently(argv.check(part)), signal, plain: true} as const;
		await read(call, stdout => eachCount(stdout, onCount));
	},
	async size(signal) {
		const call = {action: 'measuring the repository', arguments: patiently(argv.stats), signal};
		return statsContent.parse(JSON.parse(await read(call, text))).total_size;
	},
});
