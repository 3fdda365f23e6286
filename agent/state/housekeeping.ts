/** What the agent must remember of its repository's upkeep. Part of the state database. */
import type {StateDatabase} from './database.ts';
import {createUnwritten, overlaid} from './unwritten.ts';

export interface Housekeeping {
	/** On disk before the first of a point's snapshots is forgotten: after a kill, the rest of them is known. */
	rememberForgetting: (snapshots: readonly string[]) => void;
	forgetting: () => Set<string>;
	/** All of them are dealt with. */
	clearForgetting: () => void;
	/** Up to this moment a person has accepted the sizes of a target's points. */
	accept: (target: string, time: Date) => void;
	acceptedUpTo: (target: string) => Date | undefined;
	/** Why nothing of a target is removed until a person has looked; null: nothing is wrong. */
	saveSuspicion: (target: string, reason: string | null) => void;
	suspicions: () => Map<string, string>;
	/** Host names of the containers in which this agent has lived. */
	rememberHost: (lived: KnownHost) => void;
	hosts: () => KnownHost[];
}

export interface KnownHost {
	host: string;
	/** Somebody else may have it, too: a person chose it, or it is the host's or another container's. */
	isShared: boolean;
}

export function openHousekeeping(database: StateDatabase): Housekeeping {
	const forget = database.prepare('insert or ignore into forgetting select value from json_each(?)');
	const forgetting = database.prepare('select snapshot from forgetting');
	const clear = database.prepare('delete from forgetting');
	const accept = database.prepare('insert or replace into accepted values (?, ?)');
	const accepted = database.prepare('select up_to from accepted where target = ?');
	const suspect = database.prepare('insert or replace into suspicions values (?, ?)');
	const trust = database.prepare('delete from suspicions where target = ?');
	const suspicions = database.prepare('select * from suspicions');
	const live = database.prepare('insert or ignore into hosts (host, is_shared) values (?, ?)');
	const hosts = database.prepare('select host, is_shared from hosts');
	const suspected = createUnwritten<string, string | null>(database, (target, reason) =>
		reason === null ? trust.run(target) : suspect.run(target, reason),
	);
	const lived = createUnwritten<string, boolean>(database, (host, isShared) => live.run(host, Number(isShared)));
	return {
		rememberForgetting(snapshots) {
			forget.run(JSON.stringify(snapshots));
		},
		forgetting: () => new Set(forgetting.all().map(({snapshot}) => String(snapshot))),
		clearForgetting() {
			clear.run();
		},
		accept(target, time) {
			accept.run(target, time.getTime());
		},
		acceptedUpTo(target) {
			const row = accepted.get(target);
			return row && new Date(Number(row.up_to));
		},
		saveSuspicion: suspected.keep,
		suspicions() {
			const left = suspected.left();
			return overlaid(
				suspicions.all().map(({target, reason}) => [String(target), String(reason)]),
				left,
			);
		},
		rememberHost: ({host, isShared}) => lived.keep(host, isShared),
		hosts() {
			const left = lived.left();
			const written = hosts.all().map(({host, is_shared: isShared}) => [String(host), isShared === 1] as const);
			return [...new Map([...left, ...written])].map(([host, isShared]) => ({host, isShared}));
		},
	};
}
