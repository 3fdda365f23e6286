/** How it is with a target: found, missed, or moved to another host. */
import type {Appointments, NextDue} from '../../base/due.ts';
import {longestGapMs} from '../../base/gap.ts';
import type {GoneTarget, MovedTarget, StatusView} from '../../base/shapes/targets.ts';
import type {Ownership} from '../repository/owner.ts';
import type {Runs} from '../runs/runs.ts';
import type {State} from '../state/state.ts';
import type {Ledger} from './ledger.ts';
import {restedAt, statusView} from './views.ts';

interface StatusParts {
	runs: Pick<Runs, 'current' | 'waitsFor'>;
	state: State;
	ownership: () => Ownership;
	ledger: Pick<Ledger, 'newest'>;
	nextDue: NextDue;
	appointments: Appointments;
}

interface Status {
	statusOf: (surveyed: Parameters<typeof statusView>[0]) => StatusView;
	missedStatus: (target: GoneTarget) => StatusView;
	movedStatus: (target: MovedTarget) => StatusView;
}

export function createStatus({runs, state, ownership, ledger, nextDue, appointments}: StatusParts): Status {
	const newestView = (target: string): StatusView['newestPoint'] => {
		const point = ledger.newest(target);
		return point && {point: point.id, at: point.time.toISOString(), adopted: point.agent !== ownership().agent};
	};

	const statusOf: Status['statusOf'] = surveyed => {
		const {name: target} = surveyed.target;
		const [last] = state.runs({target, operation: 'backup', isFinished: true, limit: 1});
		const [success] = state.runs({target, operation: 'backup', outcome: 'success', limit: 1});
		const [lastDrill] = state.runs({target, operation: 'drill', isFinished: true, limit: 1});
		const [drilled] = state.runs({target, operation: 'drill', outcome: 'success', limit: 1});
		const running = runs.current(target);
		// Cold backups are good ones, too; that one of them is missed says nothing while the others are made.
		const line = appointments().find(each => each.operation === 'backup' && each.subject === target && !each.cold)?.line;
		return statusView(surveyed, {
			running,
			waitsFor: running && runs.waitsFor(running),
			last,
			success,
			newest: newestView(target),
			next: nextDue('backup', target),
			nextCold: nextDue('backup', target, {cold: true}),
			expected:
				line === undefined ? undefined : {intervalSeconds: longestGapMs(line) / 1000, firstSeen: state.firstSeen(target, Date.now())},
			suspicion: state.suspicions().get(target),
			former: ownership()
				.namesOf(target)
				.filter(name => name !== target),
			rested: restedAt(state, target),
			drills: {last: lastDrill, success: drilled, next: nextDue('drill', target)},
		});
	};

	const missedStatus = ({target, since, message, hint}: GoneTarget): StatusView => ({
		...statusOf({target: {name: target}, problems: [{message, hint}]}),
		nextDrill: null,
		goneSince: since,
	});

	const movedStatus = ({target, message: _, ...movedTo}: MovedTarget): StatusView => ({
		...statusOf({target: {name: target}, problems: []}),
		nextRun: null,
		nextDrill: null,
		movedTo,
	});

	return {statusOf, missedStatus, movedStatus};
}
