/** The schedule keeps up with the containers: what came, went or was labelled anew is due by what it is now. */
import type {Log} from '../../base/log.ts';
import type {Engine} from '../../docker/engine.ts';
import {servicesOfManager} from '../../docker/swarm.ts';
import {watchContainers} from '../../docker/watch.ts';
import type {Config} from '../config/config.ts';
import type {Copying} from '../copy/verbs.ts';
import type {Abandoned} from '../overview/abandoned.ts';
import type {Missing} from '../overview/gone.ts';
import type {divide} from '../overview/neighbours.ts';
import type {Listed, Survey} from '../plan/survey.ts';
import type {NamedRepository} from '../repository/repositories.ts';
import type {State} from '../state/state.ts';
import {entries, maintenanceDue} from './entries.ts';
import type {Schedule} from './schedule.ts';

/** How often the schedule is compared with the containers even if no event came. */
const relistMs = 60_000;

interface KeepUp {
	schedule: Schedule;
	engine: Engine;
	config: Config;
	survey: Pick<Survey, 'list' | 'due'>;
	neighbours: (listed: Listed) => Promise<ReturnType<typeof divide>>;
	missing: Pick<Missing, 'look'>;
	abandoned: Abandoned;
	copying: Pick<Copying, 'due'>;
	repository: Pick<NamedRepository, 'access'>;
	state: State;
	/** The metrics show the same. */
	refresh: () => Promise<void>;
	log: Log;
	signal: AbortSignal;
}

/** @returns its end */
export function keepUp({
	schedule,
	engine,
	config,
	survey,
	neighbours,
	missing,
	abandoned,
	copying,
	repository,
	state,
	refresh,
	log,
	signal,
}: KeepUp): () => void {
	const reschedule = async () => {
		// Every event of a container comes here: what is listed once serves all.
		const listed = await survey.list();
		const {elsewhere} = await neighbours(listed);
		missing.look(listed.targets, listed.containers);
		const due = survey.due(listed).filter(({subject}) => !elsewhere.has(subject));
		// Where a person said that it is only read, no backup is missed.
		const wanted = due.filter(({operation}) => operation !== 'backup' || config.repository.access !== 'read-only');
		schedule.set(entries([...wanted, ...copying.due(), ...maintenanceDue(config, repository.access())], state));
		await refresh();
	};
	const lookForAbandoned = async () => abandoned(await servicesOfManager(engine, await engine.info()));
	void watchContainers(engine, {
		signal,
		onChange: reschedule,
		onLost(error) {
			log.warning("the engine's events are lost, listing again", {error});
			void refresh();
		},
	});
	const relist = setInterval(() => {
		lookForAbandoned().catch((error: unknown) => log.debug('services of Swarm cannot be looked at', {error}));
		reschedule().catch((error: unknown) => log.warning('targets cannot be listed', {error}));
	}, relistMs);
	return () => clearInterval(relist);
}
