/** The list of snapshots; and rewriting one, which is found again in it. */
import {text} from 'node:stream/consumers';
import {lastLines} from '../../base/command.ts';
import * as argv from './argv.ts';
import type {Call, Caller} from './call.ts';
import {eachElement} from './elements.ts';
import type {Locking} from './locking.ts';
import {listedSnapshot, withoutStack} from './messages.ts';
import type {Listing, Snapshot} from './restic.ts';

export function listing({read, failed}: Caller, {patiently, withoutLocking}: Locking): Listing {
	const list = async (call: Call): Promise<Snapshot[]> => {
		const found: Snapshot[] = [];
		const once = createOnce<string>(text => text);
		const onceTogether = createOnce<readonly string[]>(JSON.stringify);
		const isWhole = await read(call, stdout =>
			eachElement(stdout, element => {
				const {id, time, tree, hostname, tags, paths, summary} = listedSnapshot.parse(element);
				found.push({
					id,
					time,
					tree,
					host: once(hostname),
					tags: (tags ?? []).map(once),
					paths: onceTogether(paths ?? []),
					bytes: summary?.total_bytes_processed ?? 0,
					addedBytes: summary?.data_added_packed ?? summary?.data_added ?? 0,
				});
			}),
		);
		if (!isWhole) {
			throw failed(call, 'restic exited with 0 but its list of snapshots is not whole');
		}

		return found;
	};

	/** `rewrite` has no JSON; it prints the first digits of the new id. */
	const rewrite = async (snapshot: string, patterns: readonly string[], signal?: AbortSignal): Promise<string> => {
		const call = {
			action: `rewriting snapshot ${snapshot}`,
			arguments: patiently(argv.rewrite(snapshot, patterns)),
			signal,
		};
		const printed = await read(call, text);
		const [, shortId] = /^saved new snapshot ([0-9a-f]{8,64})$/m.exec(printed) ?? [];
		if (shortId === undefined) {
			if (printed.includes(`snapshot ${snapshot.slice(0, 8)} of `) && printed.includes('no snapshots were modified')) {
				return snapshot;
			}

			throw failed(call, `restic printed neither a new snapshot nor that there is none: ${lastLines(withoutStack(printed))}`);
		}

		// It was just made, and nobody else knows of it: no lock is needed.
		const [found, ...others] = await list({action: call.action, arguments: withoutLocking(argv.snapshot(shortId)), signal});
		if (!found || others.length > 0) {
			throw failed(call, `the new snapshot ${shortId} is ${found ? 'ambiguous' : 'not there'}`);
		}

		return found.id;
	};

	return {
		snapshots: (tags = [], signal) => list({action: 'listing snapshots', arguments: patiently(argv.snapshots(tags)), signal}),
		async rewriteWithout(snapshot, patterns, signal) {
			let current = snapshot;
			for (const batch of argv.batches(patterns)) {
				current = await rewrite(current, batch, signal);
			}

			return current;
		},
	};
}

/** Keeps one of what is equal: thousands of snapshots have the same tags and paths. */
function createOnce<Value>(keyOf: (value: Value) => string): (value: Value) => Value {
	const known = new Map<string, Value>();
	return value => {
		const key = keyOf(value);
		const kept = known.get(key);
		if (kept === undefined) {
			known.set(key, value);
		}

		return kept ?? value;
	};
}
