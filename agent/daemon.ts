/** The agent as a process: puts right what an earlier life left, then listens, watches and keeps the schedule until it is told to end. */

import {join} from 'node:path';
import {createEventHub} from '../base/events.ts';
import {here} from '../base/here.ts';
import {type Log, logEvents} from '../base/log.ts';
import {createNotices} from '../base/notices.ts';
import {tidyWhenQuiet} from '../base/tidy.ts';
import {untilDone} from '../base/until-done.ts';
import {connectEngine} from '../docker/engine.ts';
import {withRemembered} from '../docker/remembered.ts';
import {untilStale} from '../docker/stale.ts';
import {type RunningServer, startServer} from './api/server.ts';
import {createStandby} from './api/standby.ts';
import {assemble} from './assemble.ts';
import type {Config} from './config/config.ts';
import {examineCache} from './doctor/folders.ts';
import {lockHost} from './keep/locks.ts';
import {type Observation, observe} from './metrics/observe.ts';
import {createNotifications} from './notify/notify.ts';
import {createPings} from './notify/ping.ts';
import {receiversOf} from './notify/receivers.ts';
import {unwellAmong} from './overview/unwell.ts';
import {untilNothingIsWon} from './recovery/ending.ts';
import {closeInterruptedCopies, closeInterruptedRestores} from './recovery/interrupted.ts';
import {keepPuttingBack} from './recovery/keep-putting-back.ts';
import {putRightOnceOpen} from './recovery/opened.ts';
import {putBack, type Recovery, removeWorkers} from './recovery/recovery.ts';
import {removeSnapshots} from './recovery/snapshots.ts';
import {endOnceStranded} from './recovery/stranded.ts';
import {keepRemovingUnstarted} from './recovery/unstarted.ts';
import {rarely} from './repository/door.ts';
import {createRestic} from './restic/create.ts';
import {quickKeyOf} from './restic/quick-key.ts';
import {createExpiry} from './restore/expire.ts';
import {isHeldBack, settleRestores} from './restore/recover.ts';
import {isGone} from './restore/settle.ts';
import {createWorkshop, type Workshop} from './runs/workshop.ts';
import {firstDue} from './schedule/entries.ts';
import {keepUp} from './schedule/keep-up.ts';
import type {Schedule} from './schedule/schedule.ts';
import {keepSchedule} from './schedule/timetable.ts';
import {lockState} from './state/lock.ts';
import type {RestoreRecord} from './state/restores.ts';
import {openState} from './state/state.ts';

/** How often it is looked for replaced data that is kept no longer. */
const expiryMs = 10 * 60_000;

export interface Daemon {
	/** Takes no new run, puts back what is quiesced, ends. */
	close: () => Promise<void>;
}

interface DaemonOptions {
	version: string;
	log: Log;
	/** Takes every secret out of what leaves the agent. */
	redact: (value: unknown) => unknown;
	signal: AbortSignal;
	isSlackConnected: () => boolean | undefined;
	/** It can do nothing more, but would if it were started again. */
	onStranded: () => void;
}

/** What the agent is made of, once it is. */
type Parts = ReturnType<typeof assemble>;

/** What a life of the agent stands on, and until when it lasts. */
interface Life extends Recovery, DaemonOptions {
	config: Config;
	workshop: Workshop;
}

export async function startDaemon(given: Config, options: DaemonOptions): Promise<Daemon> {
	const {version, log, redact, signal, isSlackConnected, onStranded} = options;
	const patiently = {log, signal};
	const config = withQuickKey(given);
	const standby = createStandby(config.listen);
	const lock = await untilDone('the agent cannot begin', patiently, async () =>
		lockState(join(config.stateDirectory, 'agent.lock'), standby.waitFor),
	).finally(standby.close);
	const state = openState(join(config.stateDirectory, 'holdfast.db'), {
		report: error => log.error('what is to be remembered cannot be written: it is known until the agent ends', {error}),
	});
	const engine = withRemembered(connectEngine(config.engineAddress, config.engineKeys), state);
	const hub = createEventHub(error => log.error('a listener failed', {error}));
	logEvents(hub, log);
	tidyWhenQuiet(hub);
	let restarts = true;
	void endOnceStranded(untilStale(engine, {signal}), {address: engine.address, log, restarts: () => restarts, onStranded});
	const {name, dataRoot} = await untilDone('the engine does not answer', patiently, async () => engine.info());

	// Before the first end of a run: how those of the life before ended is told, too.
	const notices = createNotices(error => log.error('a listener failed', {error}));
	const {notify} = config;
	const notifications = createNotifications({
		hub,
		notices,
		host: config.host ?? name,
		redact,
		log,
		receivers: receiversOf(notify),
		wanted: notify.wanted,
	});
	const recovery = {engine, state, hub, log};
	const upTo = state.open().at(-1)?.id ?? 0;
	closeInterruptedRestores(recovery);
	closeInterruptedCopies(recovery);
	const putBackAtStart = untilDone('not every container is put back', patiently, async () => {
		if (!(await putBack(recovery, {isWanted: entry => entry.id <= upTo && !isHeldBack(entry, state), signal, notices}))) {
			throw new Error('trying again');
		}
	});
	await untilDone('the agent cannot prepare its workers', patiently, async () => removeWorkers(recovery));
	const workshop = await untilDone('the agent cannot prepare its workers', patiently, async () =>
		createWorkshop(config, {engine, state, version}),
	);
	restarts = workshop.self.restarts === true;

	let schedule: Schedule | undefined;
	const parts = assemble(config, {
		state,
		hub,
		notices,
		log,
		workshop,
		dataRoot,
		version,
		isSlackConnected,
		nextDue: (...due) => schedule?.next(...due) ?? null,
		appointments: () => (schedule?.all() ?? []).map(each => ({...each, since: firstDue(each, state)})),
	});
	const host = lockHost(workshop.self);
	state.rememberHost({host: host.name, isShared: host.isShared});
	const life: Life = {...recovery, ...options, config, workshop};
	const {survey, runs, settle, repositories, sweeper} = parts;
	const {isUnderWay} = runs;
	const recovering = {...recovery, notices, isGone: async (record: RestoreRecord) => isGone(record, survey)};
	void settleRestores(recovering, {settle, upTo, isUnderWay, signal});
	const pings = pingsOf(life, parts);
	const observation = observationOf(life, parts);
	for (const {message, hint} of examineCache(config.repository.cacheDirectory, workshop.self)) {
		log.warning(`${message}${hint === undefined ? '' : ` (${hint})`}`);
	}

	const server = serve(life, parts, observation.metrics);
	putRightOnceOpen(recovery, {repository: repositories.primary, workshop, sweeper, runs, signal}).catch(() => {});
	schedule = keepSchedule(parts.agent, {timeZone: config.timeZone, log, notices});
	const {refresh} = observation.metrics;
	const endKeepingUp = keepUp({...life, ...parts, schedule, repository: repositories.primary, refresh});
	// What is left of the life before may take its time: what a run of this one leaves does not wait for it.
	putBackAtStart.catch(() => {});
	void removeSnapshots(workshop, {isUnderWay, log});
	keepPuttingBack(recovery, {isUnderWay, upTo, earlier: putBackAtStart, signal}).catch(() => {});
	keepRemovingUnstarted(recovery, {signal}).catch(() => {});
	const letGo = createExpiry({...recovering, settle, keepMs: config.keepReplacedMs});
	const expire = () => void letGo().catch((error: unknown) => log.error('what restores replaced could not be let go', {error}));
	expire();
	const expiry = setInterval(expire, expiryMs);
	return {
		async close() {
			observation.close();
			endKeepingUp();
			clearInterval(expiry);
			schedule?.close();
			await Promise.race([parts.agent.close(), untilNothingIsWon(engine, state)]);
			await server.then(
				async running => running.close(),
				() => {},
			);
			notifications.close();
			pings.close();
			state.close();
			lock.release();
		},
	};
}

/** What the repository is opened with most of the time. */
const withQuickKey = (config: Config): Config => ({
	...config,
	repository: {...config.repository, quickKey: quickKeyOf(config.repository, join(config.stateDirectory, 'repository-key'))},
});

function pingsOf({hub, config, redact, log}: Life, {agent, survey}: Parts) {
	const addressed = async () => (await survey.targets()).filter(({policy}) => policy.ping !== undefined);
	return createPings({
		hub,
		url: config.notify.pingUrl,
		urlOf: async name => (await addressed()).find(target => target.name === name)?.policy.ping,
		async unwell() {
			const own = new Set((await addressed()).map(({name}) => name));
			return unwellAmong((await agent.status()).filter(({target}) => !own.has(target)));
		},
		redact,
		log,
	});
}

function observationOf({config, state, hub, log, version, workshop, isSlackConnected}: Life, {agent, ledger, runs, repositories}: Parts) {
	const {primary, copies} = repositories;
	return observe({
		agent,
		state,
		ownership: workshop.ownership,
		ledger,
		runs,
		repositories: Object.fromEntries([[primary.name, primary], ...copies.map(copy => [copy.name, rarely(copy)])]),
		restic: createRestic(here, config.repository, {withoutLock: true}),
		hub,
		log,
		version,
		isSlackConnected,
	});
}

/** A port that is taken keeps nobody stopped, and no backup from being made. */
function serve({config, log, signal, version, workshop}: Life, {agent}: Parts, metrics: Observation['metrics']): Promise<RunningServer> {
	const server = untilDone('nobody can be answered: HOLDFAST_LISTEN is tried again', {log, signal}, async () =>
		startServer({
			agent,
			token: config.apiToken,
			listen: config.listen,
			metrics,
			version,
			host: workshop.host,
			agentId: workshop.agentId,
			report: error => log.error('request failed', {error}),
		}),
	);
	server.then(
		({url}) => log.info(`listening at ${url}`),
		() => {},
	);
	return server;
}
