/** Follows runs and shows each in one message; also those that were under way when the bot was started again. */
import {setTimeout as delay} from 'node:timers/promises';
import {NotFoundError} from '../base/errors.ts';
import type {Log} from '../base/log.ts';
import {finishedAs} from '../base/results.ts';
import type {Board, Posted} from './board.ts';
import type {Fleet, Host} from './fleet.ts';
import {type RunStory, runMessage, storyOf, threadMessage, told} from './messages/run.ts';
import {notesOf, type ShownRun, shownRun} from './notes.ts';
import {lifetimes, type References} from './references.ts';

export type Beginning = Parameters<typeof storyOf>[0];

export interface RunMessages {
	/** Waits for nothing. */
	follow: (beginning: Beginning, channel: string) => void;
	/** Goes on with what an earlier life showed. */
	resume: () => Promise<void>;
	/** Takes the buttons off a message of a run that is over, and says why. */
	settle: (host: Host, run: string, posted: Posted, text: string) => Promise<void>;
}

export interface RunMessagesOptions {
	fleet: Fleet;
	board: Board;
	references: References;
	log: Log;
	signal: AbortSignal;
}

const againMs = 5000;
const prefix = 'run ';
const noteKey = (run: string) => prefix + run;

export function createRunMessages({fleet, board, references, log, signal}: RunMessagesOptions): RunMessages {
	const sign = (order: Parameters<References['sign']>[0]) => references.sign(order, lifetimes.run);
	const note = (host: Host, run: string, content: ShownRun | null): void => {
		host.client
			.saveNote(noteKey(run), content === null ? null : JSON.stringify(content))
			.catch((error: unknown) => log.warning('where a run is shown could not be noted', {error, run}));
	};

	const show = (story: RunStory, channel: string): void => {
		board.show(noteKey(story.run), channel, runMessage(story, sign), posted => {
			if (story.finished === undefined) {
				note(fleet.host(story.host), story.run, {posted, approvers: [...story.approvers]});
			}
		});
	};

	const follow = async (beginning: Beginning, channel: string): Promise<void> => {
		const host = fleet.host(beginning.host);
		let story = storyOf(beginning);
		show(story, channel);
		while (story.finished === undefined) {
			try {
				story = storyOf(beginning);
				for await (const event of host.client.follow(beginning.run, signal)) {
					story = told(story, event);
					show(story, channel);
				}
			} catch (error) {
				signal.throwIfAborted();
				if (error instanceof NotFoundError) {
					note(host, beginning.run, null);
					throw error;
				}

				// The agent is away: it says how the run ended when it is back
				await delay(againMs, undefined, {signal});
			}
		}

		board.thread(noteKey(story.run), threadMessage(story));
		board.settle(noteKey(story.run));
		note(host, story.run, null);
	};

	const started = (beginning: Beginning, channel: string): void => {
		follow(beginning, channel).catch((error: unknown) => {
			board.settle(noteKey(beginning.run));
			if (!signal.aborted) {
				log.warning('a run can no longer be followed', {error, run: beginning.run});
			}
		});
	};

	const beginningOf = async (host: Host, run: string, approvers: readonly string[]): Promise<Beginning> => {
		const {target, operation, trigger} = await host.client.run(run);
		return {run, host: host.name, target, label: fleet.label(host.name, target), operation, trigger, approvers};
	};

	const resumeNoted = async (host: Host, run: string, {posted, approvers}: ShownRun): Promise<void> => {
		try {
			const beginning = await beginningOf(host, run, approvers);
			board.adopt(noteKey(run), posted);
			started(beginning, posted.channel);
		} catch (error) {
			if (!(error instanceof NotFoundError)) {
				throw error;
			}

			note(host, run, null);
		}
	};

	/** Its agent may be away for now. */
	const resumeHost = async (host: Host): Promise<void> => {
		for (;;) {
			try {
				const noted = await notesOf(host, prefix, {
					schema: shownRun,
					onUnreadable: name => log.warning('where a run is shown cannot be read any more: it is not shown to its end', {note: name}),
				});
				for (const [run, shown] of noted) {
					await resumeNoted(host, run, shown);
				}

				return;
			} catch (error) {
				log.debug('what an earlier life showed cannot be asked for yet', {error, host: host.name});
				await delay(againMs, undefined, {signal});
			}
		}
	};

	return {
		follow: started,
		async resume() {
			await Promise.all(fleet.hosts.map(resumeHost));
		},
		async settle(host, run, posted, text) {
			const view = await host.client.run(run);
			if (view.result === null) {
				return;
			}

			const finished = finishedAs(view.operation, view.result);
			const story = {...storyOf(await beginningOf(host, run, [])), finished, settled: text};
			board.adopt(noteKey(run), posted);
			show(story, posted.channel);
			board.settle(noteKey(run));
		},
	};
}
