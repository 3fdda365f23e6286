/** What Prometheus scrapes. Only this file and its families import prom-client. */
import {Registry} from 'prom-client';
import type {EventHub} from '../../base/events.ts';
import type {Overview} from '../../base/shapes/targets.ts';
import {gaugesOf} from './family.ts';
import type {OwnState} from './own-state.ts';
import {repositoryFamilies} from './repository.ts';
import {type History, runFamilies} from './runs.ts';
import {targetFamilies} from './targets.ts';

export interface MetricsOptions {
	hub: EventHub;
	version: string;
	history: History;
	/** Asks the engine. When it rejects, `engine_up` is 0 and the rest shows the last answer. */
	collect: () => Promise<Overview>;
	/** What is known without asking: looked at for each scrape. */
	own: () => OwnState;
	report: (error: unknown) => void;
	/** How long `collect` may take. */
	collectMs?: number | undefined;
}

export interface Metrics {
	/** Looks again at what there is. One look at a time; who comes meanwhile waits for a new one. Never rejects. */
	refresh: () => Promise<void>;
	/** What was seen last, at once: a scrape never waits for the engine or a repository, but for the first look. Never rejects. */
	text: () => Promise<string>;
	contentType: string;
}

export function createMetrics({hub, version, history, collect, own, report, collectMs = 8000}: MetricsOptions): Metrics {
	const registry = new Registry();
	const gauge = gaugesOf(registry);
	const families = {
		agent: agentFamilies(gauge, version),
		targets: targetFamilies(gauge),
		repository: repositoryFamilies(gauge),
		runs: runFamilies(registry, history),
	};

	let observed: Overview | undefined;
	let engineUp = false;
	let isStale = true;
	const look = async (): Promise<void> => {
		try {
			observed = await withinTime(collect(), collectMs);
			engineUp = true;
		} catch (error) {
			// Nobody knows which targets there are; those known before have not gone.
			engineUp = false;
			report(error);
		}

		isStale = true;
	};

	const refresh = oneAtATime(look);
	const began = new Map<string, number>();
	hub.listen(event => {
		if (event.type === 'step' && !began.has(event.run)) {
			began.set(event.run, event.at);
		} else if (event.type === 'finished') {
			const start = began.get(event.run);
			began.delete(event.run);
			families.runs.add(event, start === undefined ? null : (event.at - start) / 1000);
			isStale = true;
		}
	});

	let first: Promise<void> | undefined;
	return {
		contentType: registry.contentType,
		refresh,
		async text() {
			first ??= refresh();
			await first;
			const present = observed && new Set(observed.targets.map(({view}) => view.target));
			if (isStale) {
				isStale = false;
				families.runs.show(present);
				if (observed) {
					families.targets.show(observed);
				}
			}

			const known = own();
			families.agent.show({engineUp, ...known});
			families.repository.show(known.holdings, present);
			return registry.metrics();
		},
	};
}

function agentFamilies(gauge: ReturnType<typeof gaugesOf>, version: string) {
	gauge('build_info', 'Always 1; the labels say which build this is.', ['version']).set({version}, 1);
	const up = gauge('engine_up', '1 while the engine answers.');
	const quiesced = gauge('quiesced_containers', 'Containers that are quiesced now.');
	const left = gauge('left_quiesced_containers', 'Containers that are quiesced although their run is over.');
	const repository = gauge('repository_up', '1 while the repository can be opened with its password.', ['repository']);
	const slack = gauge('slack_connected', '1 while the bot is connected to Slack; absent where there is no bot.');
	return {
		show({engineUp, quiescedContainers, leftQuiescedContainers, repositories, slackConnected}: OwnState & {engineUp: boolean}): void {
			up.set(engineUp ? 1 : 0);
			quiesced.set(quiescedContainers);
			left.set(leftQuiescedContainers);
			if (slackConnected === undefined) {
				slack.remove();
			} else {
				slack.set(slackConnected ? 1 : 0);
			}

			repository.reset();
			for (const [name, isUp] of repositories) {
				repository.set({repository: name}, isUp ? 1 : 0);
			}
		},
	};
}

/** A call during a look gets the one that begins after it, as it asks for what is true now; several calls share it. */
function oneAtATime(look: () => Promise<void>): () => Promise<void> {
	let current: Promise<void> | undefined;
	let following: Promise<void> | undefined;
	const begin = (): Promise<void> => {
		following = undefined;
		current = look().finally(() => {
			current = undefined;
		});
		return current;
	};

	return async () => {
		if (current === undefined) {
			return begin();
		}

		following ??= current.then(begin);
		return following;
	};
}

async function withinTime<Value>(promise: Promise<Value>, timeMs: number): Promise<Value> {
	const {promise: over, reject} = Promise.withResolvers<never>();
	const timer = setTimeout(() => reject(new Error(`what the metrics show could not be collected within ${timeMs / 1000} s`)), timeMs);
	try {
		return await Promise.race([promise, over]);
	} finally {
		clearTimeout(timer);
	}
}
