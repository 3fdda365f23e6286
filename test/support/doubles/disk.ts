/** The disk of a state database, which can be full: SQLite then answers as it does where nothing can be written. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {StateDatabase} from '../../../agent/state/database.ts';
import {openState, type State} from '../../../agent/state/state.ts';

interface Disk {
	fill: () => void;
	empty: () => void;
}

/** @returns `reported`: why nothing could be written, as the agent's log has it */
export function openOnDisk(t: ExecutionContext): {state: State; disk: Disk; reported: unknown[]; path: string} {
	const folder = mkdtempSync(join(tmpdir(), 'holdfast-disk-'));
	const path = join(folder, 'holdfast.db');
	const reported: unknown[] = [];
	let database: StateDatabase | undefined;
	const state = openState(path, {
		report: error => reported.push(error),
		connect(...given) {
			database = new StateDatabase(...given);
			return database;
		},
	});
	t.teardown(() => {
		if (database?.isOpen) {
			state.close();
		}

		rmSync(folder, {recursive: true});
	});
	return {
		state,
		reported,
		path,
		disk: {
			fill: () => database?.exec('pragma query_only = on'),
			empty: () => database?.exec('pragma query_only = off'),
		},
	};
}
