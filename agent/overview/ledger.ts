/** What is known of others who use the repository, without asking it again. */
import {deedsOf, type Ownership} from '../repository/owner.ts';
import {newestOf, oursAmong, type Point, pointsOf} from '../repository/points.ts';
import type {Snapshot} from '../restic/restic.ts';
import type {State} from '../state/state.ts';
import {type FiledElsewhere, filedElsewhere} from './moved.ts';
import {type Filer, findFilers} from './owners.ts';

export interface Ledger {
	/** @param snapshots all of Holdfast's own */
	look: (snapshots: readonly Snapshot[]) => void;
	filers: () => readonly Filer[];
	/** This agent's newest point of a target, whoever filed it. */
	newest: (target: string) => Point | undefined;
	/** Whether another agent files a target of this one since its newest point here. */
	elsewhere: (target: string) => FiledElsewhere | undefined;
	/**
	 * How many other agents work here. Who works on this engine mostly files under this host's name, too: it counts once.
	 * @param onEngine how many work on this engine
	 */
	liveOthers: (onEngine: number) => number;
}

export function createLedger(state: Pick<State, 'learnDeeds'>, {ownership, host}: {ownership: () => Ownership; host: string}): Ledger {
	let filers: readonly Filer[] = [];
	let elsewhere: ReadonlyMap<string, FiledElsewhere> = new Map();
	let newest: ReadonlyMap<string, Point> = new Map();
	return {
		look(snapshots) {
			state.learnDeeds(deedsOf(snapshots));
			const points = pointsOf(snapshots);
			const owned = ownership();
			filers = findFilers({points, ownership: owned, host, now: Date.now()});
			const theirs = points.filter(point => !owned.isOurs(point));
			const own = oursAmong(points, owned);
			elsewhere = theirs.length === 0 ? new Map() : filedElsewhere(own, theirs);
			const ofTargets = Map.groupBy(own, ({target}) => target);
			newest = new Map(
				[...ofTargets].flatMap(([target, ofTarget]) => {
					const point = newestOf(ofTarget);
					return point === undefined ? [] : [[target, point] as const];
				}),
			);
		},
		filers: () => filers,
		newest: target => newest.get(target),
		elsewhere: target => elsewhere.get(target),
		liveOthers(onEngine) {
			const alive = filers.filter(({isAlive}) => isAlive);
			const here = alive.filter(filer => filer.host === host).length;
			return Math.max(onEngine, here) + alive.length - here;
		},
	};
}
