/** Keeps what the metrics show up to date, so that a scrape waits for nothing. */

import type {EventHub} from '../../base/events.ts';
import type {Log} from '../../base/log.ts';
import type {Ledger} from '../overview/ledger.ts';
import type {Overviews} from '../overview/verbs.ts';
import {runView} from '../overview/views.ts';
import type {RepositoryDoor} from '../repository/door.ts';
import type {Ownership} from '../repository/owner.ts';
import type {Restic} from '../restic/restic.ts';
import type {Runs} from '../runs/runs.ts';
import type {State} from '../state/state.ts';
import {createInventory} from './inventory.ts';
import {createMetrics, type Metrics} from './metrics.ts';

/** How often the engine is looked at, and the repository asked for. */
const lookMs = 15_000;

interface Observed {
	agent: Pick<Overviews, 'overview'>;
	state: Pick<State, 'open' | 'lastRuns' | 'countRuns' | 'quiesced' | 'runs' | 'suspicions'>;
	ownership: () => Ownership;
	ledger: Ledger;
	runs: Pick<Runs, 'isUnderWay'>;
	/** By name. */
	repositories: Readonly<Record<string, RepositoryDoor>>;
	/** The primary. */
	restic: Pick<Restic, 'snapshots' | 'locks' | 'size'>;
	hub: EventHub;
	log: Log;
	version: string;
	isSlackConnected: () => boolean | undefined;
}

export interface Observation {
	metrics: Metrics;
	close: () => void;
}

export function observe({
	agent,
	state,
	ownership,
	ledger,
	runs,
	repositories,
	restic,
	hub,
	log,
	version,
	isSlackConnected,
}: Observed): Observation {
	const reachable = new Map<string, boolean>();
	const inventory = createInventory({
		name: 'primary',
		restic,
		state,
		ownership,
		ledger,
		hub,
		opened: async () => repositories.primary?.open(),
		report: error => log.warning('what the repository holds could not be counted', {error}),
	});
	const metrics = createMetrics({
		hub,
		version,
		history: {latest: state.lastRuns().map(runView), counts: state.countRuns(), quiesced: state.quiesced()},
		report: error => log.warning('metrics are incomplete', {error}),
		collect: agent.overview,
		own() {
			const open = state.open().filter(({undo}) => undo.kind !== 'hook');
			const left = open.filter(({run}) => !runs.isUnderWay(run));
			return {
				quiescedContainers: open.length,
				leftQuiescedContainers: left.length,
				repositories: reachable,
				slackConnected: isSlackConnected(),
				holdings: new Map([['primary', inventory.holdings()]]),
			};
		},
	});
	const probe = async ([name, door]: [string, RepositoryDoor]) => {
		reachable.set(
			name,
			await door.open().then(
				() => true,
				() => false,
			),
		);
	};
	const look = () => {
		void metrics.refresh();
		for (const repository of Object.entries(repositories)) {
			void probe(repository);
		}
	};

	// A run that failed may have found the repository gone
	hub.listen(({type}) => {
		if (type === 'finished') {
			look();
		}
	});
	look();
	const timer = setInterval(look, lookMs);
	return {
		metrics,
		close() {
			clearInterval(timer);
			inventory.close();
		},
	};
}
