import type {Holdings} from './inventory.ts';

/** What the metrics show besides what runs and overviews tell. */
export interface OwnState {
	/** Containers that are paused or stopped by a run now. */
	quiescedContainers: number;
	/** Of these, those whose run is over: nobody is about to put them back. */
	leftQuiescedContainers: number;
	/** Whether each repository could be opened when it was last tried; by its name. */
	repositories: ReadonlyMap<string, boolean>;
	/** Undefined where there is no Slack bot. */
	slackConnected: boolean | undefined;
	/** What each repository holds; by its name. */
	holdings: ReadonlyMap<string, Holdings>;
}
