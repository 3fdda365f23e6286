/** Looks at every agent now and then: what failed without anybody in Slack asking for it is told once, and taken back when it is well again. */
import {setTimeout as delay} from 'node:timers/promises';
import {dueTimes} from '../base/due.ts';
import {explain} from '../base/errors.ts';
import {message, section} from './blocks.ts';
import type {Desk} from './desk.ts';
import type {Host} from './fleet.ts';
import {type Incident, incidentMessage, type Judged, judgeLate, judgeRuns, judgeTargets, resolvedMessage} from './incidents.ts';
import {digestMessage} from './messages/digest.ts';
import {notesOf, type OpenIncident, openIncident} from './notes.ts';
import {gather} from './overview.ts';
import {code} from './text.ts';

export interface WatchOptions {
	signal: AbortSignal;
	/** A cron line. */
	digest: string | undefined;
	timeZone: string;
	runsMs?: number;
	/** Stale targets are looked for less often: that asks the engine. */
	staleMs?: number;
	/** How long an agent may be away before it is told. */
	awayMs?: number;
}

const prefix = 'incident ';

/** Never rejects; ends with the signal. */
export async function watch(
	desk: Desk,
	{signal, digest, timeZone, runsMs = 5000, staleMs = 60_000, awayMs = 120_000}: WatchOptions,
): Promise<void> {
	const {channel, fleet, log, now} = desk;
	if (channel === undefined) {
		log.info('no HOLDFAST_SLACK_CHANNEL: failures are not posted to Slack');
		return;
	}

	const watchers = new Map<Host, ReturnType<typeof createWatcher>>();
	let lookedForStale = Number.NEGATIVE_INFINITY;
	const nextDigest = digest === undefined ? undefined : createDigest(desk, {channel, dueAfter: dueTimes(digest, timeZone)});
	while (!signal.aborted) {
		const withStale = now() - lookedForStale >= staleMs;
		lookedForStale = withStale ? now() : lookedForStale;
		await fleet.refresh();
		for (const host of fleet.hosts) {
			if (!watchers.has(host)) {
				watchers.set(host, createWatcher(desk, host, {channel, awayMs}));
			}
		}

		await Promise.all([...watchers].map(async ([host, look]) => fleet.hosts.includes(host) && look({withStale})));
		await nextDigest?.().catch((error: unknown) => log.warning('the digest could not be made', {error}));
		await delay(runsMs, undefined, {signal}).catch(() => {});
	}
}

function createWatcher(desk: Desk, host: Host, {channel, awayMs}: {channel: string; awayMs: number}) {
	const {board, fleet, log, now} = desk;
	let open: Map<string, OpenIncident> | undefined;
	let awaySince: number | undefined;
	let isAwayTold = false;
	const awayKey = `${prefix}${host.name} away`;

	const note = async (key: string, content: OpenIncident | null): Promise<void> =>
		host.client.saveNote(prefix + key, content === null ? null : JSON.stringify(content));
	const boardKey = (key: string) => `${prefix}${host.name} ${key}`;

	/** What an earlier life told. */
	const recall = async (): Promise<Map<string, OpenIncident>> => {
		const known = await notesOf(host, prefix, {
			schema: openIncident,
			onUnreadable: name => log.warning('a failure that was told cannot be read any more: it is told anew', {note: name}),
		});
		for (const [key, {posted}] of known) {
			if (posted !== undefined) {
				board.adopt(boardKey(key), posted);
			}
		}

		return known;
	};

	const tell = (known: Map<string, OpenIncident>, incident: Incident): void => {
		const {key, target, what, version} = incident;
		const before = known.get(key);
		if (before?.version === version && before.posted !== undefined) {
			return;
		}

		const opened: OpenIncident = {version, what, target, posted: before?.posted};
		const isNews = before?.version !== version;
		known.set(key, opened);
		if (!isNews) {
			return;
		}

		board.show(boardKey(key), channel, incidentMessage(incident, fleet.label(host.name, target)), posted => {
			opened.posted = posted;
			note(key, {...(known.get(key) ?? opened), posted}).catch((error: unknown) =>
				log.warning('a failure that was told could not be noted', {error}),
			);
		});
		if (before?.posted !== undefined) {
			void note(key, opened).catch((error: unknown) => log.warning('a failure that was told could not be noted', {error}));
		}
	};

	const resolve = async (known: Map<string, OpenIncident>, key: string, {what, target}: OpenIncident): Promise<void> => {
		known.delete(key);
		board.show(boardKey(key), channel, resolvedMessage(what, fleet.label(host.name, target), now()));
		board.settle(boardKey(key));
		await note(key, null);
	};

	const reconcile = async (known: Map<string, OpenIncident>, {incidents, well}: Judged): Promise<void> => {
		for (const incident of incidents) {
			tell(known, incident);
		}

		for (const [key, opened] of [...known]) {
			if (well.has(key)) {
				await resolve(known, key, opened);
			}
		}
	};

	const away = (error: unknown): void => {
		awaySince ??= now();
		if (!isAwayTold && now() - awaySince >= awayMs) {
			isAwayTold = true;
			const text = `❌ the agent ${code(host.name)} does not answer`;
			board.show(awayKey, channel, message(text, [section(`${text}\n${code(explain(error), 500)}`)]));
		}
	};

	return async ({withStale}: {withStale: boolean}): Promise<void> => {
		try {
			const known = open ?? (await recall());
			open = known;
			await reconcile(known, judgeRuns(await host.client.runs({limit: 500})));
			if (withStale) {
				const status = await host.client.status();
				await reconcile(known, judgeTargets(status));
				const judged = judgeLate(status);
				// That it failed is told already, and says more
				const failing = new Set([...known.values()].filter(({what}) => what === 'backup').map(({target}) => target));
				await reconcile(known, {...judged, incidents: judged.incidents.filter(({target}) => !failing.has(target))});
			}

			awaySince = undefined;
			if (isAwayTold) {
				isAwayTold = false;
				const text = `✅ the agent ${code(host.name)} answers again`;
				board.show(awayKey, channel, message(text, [section(text)]));
				board.settle(awayKey);
			}
		} catch (error) {
			log.debug('an agent could not be looked at', {error, host: host.name});
			away(error);
		}
	};
}

/** Once for each due time; one that passed while the bot was away is left out. */
function createDigest({board, fleet, now}: Desk, {channel, dueAfter}: {channel: string; dueAfter: (instant: number) => number}) {
	let due = dueAfter(now());
	return async (): Promise<void> => {
		if (now() < due) {
			return;
		}

		due = dueAfter(now());
		const key = `digest ${now()}`;
		board.show(key, channel, digestMessage(await gather(fleet), now()));
		board.settle(key);
	};
}
