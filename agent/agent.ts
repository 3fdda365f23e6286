/** The one door: all that can be asked of the agent, by schedule, command line, HTTP and Slack alike. Each folder says in its own words what it offers. */
import type {Audit, Notes} from '../base/audit.ts';
import {explain} from '../base/errors.ts';
import type {Finding} from '../base/shapes/targets.ts';
import type {Engine} from '../docker/engine.ts';
import type {Archives} from './archive/verbs.ts';
import type {Backups} from './backup/verbs.ts';
import type {Browsing} from './browse/verbs.ts';
import type {Copies} from './copy/verbs.ts';
import type {Drills} from './drill/verbs.ts';
import type {Keeping} from './keep/verbs.ts';
import type {Overviews} from './overview/verbs.ts';
import type {RepositoryDoor} from './repository/door.ts';
import type {Restores} from './restore/verbs.ts';
import type {Runs} from './runs/runs.ts';
import type {State} from './state/state.ts';

export interface Agent
	extends Overviews,
		Backups,
		Restores,
		Drills,
		Copies,
		Keeping,
		Archives,
		Browsing,
		Notes,
		Pick<Runs, 'follow' | 'watch' | 'cancel' | 'close'> {
	readonly audit: Audit;
	doctor: () => Promise<Finding[]>;
	/** False while the engine or the repository cannot be reached; what `/healthz` says. */
	health: () => Promise<{healthy: boolean; problems: string[]}>;
}

interface Parts {
	verbs: Overviews & Backups & Restores & Drills & Copies & Keeping & Archives & Browsing;
	runs: Runs;
	state: Pick<State, 'audit' | 'notes' | 'saveNote'>;
	doctor: Agent['doctor'];
	engine: Pick<Engine, 'list'>;
	repository: Pick<RepositoryDoor, 'open'>;
}

export const createAgent = ({verbs, runs, state, doctor, engine, repository}: Parts): Agent => ({
	...verbs,
	follow: runs.follow,
	watch: runs.watch,
	cancel: runs.cancel,
	close: runs.close,
	audit: state.audit,
	notes: state.notes,
	saveNote: state.saveNote,
	doctor,
	async health() {
		const problems: string[] = [];
		await engine.list().catch((error: unknown) => problems.push(`the engine does not answer: ${explain(error)}`));
		await repository.open().catch((error: unknown) => problems.push(explain(error)));
		return {healthy: problems.length === 0, problems};
	},
});
