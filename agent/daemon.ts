/** The agent as a process: puts right what an earlier life left, then listens, watches and keeps the schedule until it is told to end. */

import {homedir} from 'node:os';
import {join} from 'node:path';
import type {Appointments, NextDue} from '../base/due.ts';
import {createEventHub} from '../base/events.ts';
import {longestGapMs} from '../base/gap.ts';
import {here} from '../base/here.ts';
import {type Log, logEvents} from '../base/log.ts';
import {createNotices} from '../base/notices.ts';
import {untilDone} from '../base/until-done.ts';
import {watchActivity} from '../docker/activity.ts';
import {connectEngine} from '../docker/engine.ts';
import {untilStale} from '../docker/stale.ts';
import {createAgent} from './agent.ts';
import {startServer} from './api/server.ts';
import {createStandby} from './api/standby.ts';
import {createArchives} from './archive/verbs.ts';
import {createBackups} from './backup/verbs.ts';
import {createBrowsing} from './browse/verbs.ts';
import type {Config} from './config/config.ts';
import {createCopying} from './copy/verbs.ts';
import {diagnose} from './doctor/doctor.ts';
import {examineCache} from './doctor/folders.ts';
import {createDrills} from './drill/verbs.ts';
import {createElection} from './keep/election.ts';
import {isLockOf, lockHost, withNamedLocks} from './keep/locks.ts';
import {createSweeper} from './keep/sweep.ts';
import {createUpkeep} from './keep/verbs.ts';
import {observe} from './metrics/observe.ts';
import {createNotifications} from './notify/notify.ts';
import {createPings} from './notify/ping.ts';
import {receiversOf} from './notify/receivers.ts';
import {createMissing} from './overview/gone.ts';
import {createKits} from './overview/kit.ts';
import {createLedger} from './overview/ledger.ts';
import {divide, ownAgent} from './overview/neighbours.ts';
import {unwellAmong} from './overview/unwell.ts';
import {createOverviews} from './overview/verbs.ts';
import {createSurvey, type Listed} from './plan/survey.ts';
import {untilNothingIsWon} from './recovery/ending.ts';
import {closeInterrupted, closeInterruptedCopies, closeInterruptedRestores} from './recovery/interrupted.ts';
import {keepPuttingBack} from './recovery/keep-putting-back.ts';
import {putBack, releaseLocks, removeWorkers} from './recovery/recovery.ts';
import {removeSnapshots} from './recovery/snapshots.ts';
import {keepRemovingUnstarted} from './recovery/unstarted.ts';
import {rarely} from './repository/door.ts';
import {listPoints, readManifest} from './repository/points.ts';
import {createRepositories} from './repository/repositories.ts';
import {createRestic} from './restic/create.ts';
import {quickKeyOf} from './restic/quick-key.ts';
import {createExpiry} from './restore/expire.ts';
import {isHeldBack, settleRestores} from './restore/recover.ts';
import {createSettle, isGone} from './restore/settle.ts';
import {createRestores} from './restore/verbs.ts';
import {createRuns} from './runs/runs.ts';
import {createWorkshop} from './runs/workshop.ts';
import {firstDue} from './schedule/entries.ts';
import {keepUp} from './schedule/keep-up.ts';
import type {Schedule} from './schedule/schedule.ts';
import {keepSchedule} from './schedule/timetable.ts';
import {lockState} from './state/lock.ts';
import type {RestoreRecord} from './state/restores.ts';
import {openState} from './state/state.ts';
import {createAgentFinder} from './targets/agents.ts';

/** How often it is looked for replaced data that is kept no longer. */
const expiryMs = 10 * 60_000;

/** How long maintenance waits for others who use the repository: meanwhile no backup of this agent begins. */
const maintenancePatienceSeconds = 600;

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

export async function startDaemon(
	given: Config,
	{version, log, redact, signal, isSlackConnected, onStranded}: DaemonOptions,
): Promise<Daemon> {
	const config = {
		...given,
		repository: {...given.repository, quickKey: quickKeyOf(given.repository, join(given.stateDirectory, 'repository-key'))},
	};
	const engine = connectEngine(config.engineAddress);
	const standby = createStandby(config.listen);
	const lock = await untilDone('the agent cannot begin', {log, signal}, async () =>
		lockState(join(config.stateDirectory, 'agent.lock'), standby.waitFor),
	).finally(standby.close);
	const state = openState(join(config.stateDirectory, 'holdfast.db'), {
		report: error => log.error('what is to be remembered cannot be written: it is known until the agent ends', {error}),
	});
	const hub = createEventHub(error => log.error('a listener failed', {error}));
	logEvents(hub, log);
	let restarts = true;
	untilStale(engine, {signal}).then(
		() => {
			log.error(
				`\`${engine.address}\`, as it is mounted here, is the socket of an engine that was started anew since, with another socket: ${restarts ? 'the agent ends, to be started again with that' : 'start this container again (docker restart); with `restart: always` it does so by itself'}`,
			);
			if (restarts) {
				onStranded();
			}
		},
		() => {},
	);
	const {name, dataRoot} = await untilDone('the engine does not answer', {log, signal}, async () => engine.info());
	// Before the first end of a run: how those of the life before ended is told, too.
	const notices = createNotices(error => log.error('a listener failed', {error}));
	const notifications = createNotifications({
		hub,
		notices,
		host: config.host ?? name,
		redact,
		log,
		receivers: receiversOf(config.notify),
		wanted: config.notify.wanted,
	});
	const recovery = {engine, state, hub, log};
	const upTo = state.open().at(-1)?.id ?? 0;
	closeInterruptedRestores(recovery);
	closeInterruptedCopies(recovery);
	const putBackAtStart = untilDone('not every container is put back', {log, signal}, async () => {
		if (!(await putBack(recovery, {isWanted: entry => entry.id <= upTo && !isHeldBack(entry, state), signal}))) {
			throw new Error('trying again');
		}
	});
	await untilDone('the agent cannot prepare its workers', {log, signal}, async () => removeWorkers(recovery));

	const workshop = await untilDone('the agent cannot prepare its workers', {log, signal}, async () =>
		createWorkshop(config, {engine, state, version}),
	);
	restarts = workshop.self.restarts === true;
	const survey = createSurvey({
		engine,
		self: workshop.self,
		agentId: workshop.agentId,
		dataRoot,
		prefix: config.labelPrefix,
		dialects: config.labelDialects,
		projects: config.projects ?? [],
		auto: config.auto,
		schedule: config.schedule,
		lockTimeoutMs: config.lockTimeoutMs,
		copies: config.copies.map(({repository}) => repository.name),
	});
	const ledger = createLedger(state, workshop);
	const missing = createMissing({state, notices, ledger, shrinkLimit: config.shrinkLimit, prefix: config.labelPrefix});
	const findAgents = createAgentFinder(engine, {
		containerId: workshop.self.containerId,
		stateDirectory: config.stateDirectory,
		prefix: config.labelPrefix,
	});
	const neighbours = async ({containers, targets}: Listed) =>
		divide(targets, await findAgents(containers), ownAgent(containers, workshop.self.containerId, config.projects ?? []));
	const runs = createRuns({
		state,
		hub,
		concurrency: config.concurrency,
		stallLimitMs: config.stallLimitMs,
		activity: run => watchActivity(engine, run),
	});
	const repositories = createRepositories({primary: config.repository, copies: config.copies, state});
	const repository = repositories.primary;
	const copying = createCopying({workshop, survey, runs, state, repositories, prefix: config.labelPrefix, policy: config});
	const sweeper = createSweeper({
		workshop,
		withRestic: (run, work) =>
			withNamedLocks(workshop, run, place => work(createRestic(place, config.repository, {lockPatienceSeconds: 0}))),
		door: repository,
		state,
	});
	const settle = createSettle({workshop, survey, runs, state, repositories});
	const recovering = {...recovery, notices, isGone: async (record: RestoreRecord) => isGone(record, survey)};
	void settleRestores(recovering, {settle, upTo, isUnderWay: runs.isUnderWay, signal});
	const letGo = createExpiry({...recovering, settle, keepMs: config.keepReplacedMs});
	const expire = () => void letGo().catch((error: unknown) => log.error('what restores replaced could not be let go', {error}));
	const host = lockHost(workshop.self);
	state.rememberHost(host.name, host.isShared);

	const election = createElection({
		agent: workshop.agentId,
		host: workshop.host,
		folder: workshop.folder,
		looking: workshop.restic(here, {withoutLock: true}),
		writing: workshop.restic(),
		intervalMs(operation) {
			const line = operation === 'prune' ? config.pruneSchedule : config.checkSchedule;
			return line === undefined ? undefined : longestGapMs(line);
		},
		isOwn: isLockOf(run => state.findRun(run) !== undefined),
		may: () => ({add: repository.access() !== 'read-only', remove: repository.access() === 'full'}),
	});
	const upkeep = createUpkeep({
		election,
		workshop,
		restic: (place, options) => createRestic(place, config.repository, {...options, lockPatienceSeconds: maintenancePatienceSeconds}),
		survey,
		runs,
		state,
		door: repository,
		sweeper,
		repository: config.repository,
		policy: config,
		notices,
		checkParts: config.checkParts,
	});
	let schedule: Schedule | undefined;
	const nextDue: NextDue = (...due) => schedule?.next(...due) ?? null;
	const appointments: Appointments = () => (schedule?.all() ?? []).map(each => ({...each, since: firstDue(each, state)}));
	const {restoreMarginBytes, importLimitBytes, shrinkLimit} = config;
	const kits = createKits({state, repositories, host: workshop.host, version, home: homedir()});
	const agent = createAgent({
		verbs: {
			...createOverviews({
				kits,
				survey,
				runs,
				state,
				repositories,
				ownership: workshop.ownership,
				ledger,
				missing,
				neighbours,
				nextDue,
				appointments,
			}),
			...createBackups({workshop, survey, runs, state, repositories, upkeep, notices}),
			...createRestores({workshop, survey, runs, state, repositories, restoreMarginBytes, shrinkLimit, settle}),
			...createDrills({workshop, survey, runs, repositories}),
			...copying,
			...upkeep,
			...createArchives({workshop, survey, runs, repository, importLimitBytes, log}),
			...createBrowsing({repositories, ownership: workshop.ownership}),
		},
		runs,
		state,
		doctor: async () =>
			diagnose({
				workshop,
				survey,
				repositories,
				missing,
				state,
				neighbours,
				appointments,
				isSlackConnected,
				kitKept: kits.kitKept,
			}),
		engine,
		repository,
	});
	const pingOf = async (name: string) => (await survey.targets()).find(target => target.name === name)?.policy.ping;
	const pings = createPings({
		hub,
		url: config.notify.pingUrl,
		urlOf: pingOf,
		async unwell() {
			const own = new Set((await survey.targets()).filter(({policy}) => policy.ping !== undefined).map(({name}) => name));
			return unwellAmong((await agent.status()).filter(({target}) => !own.has(target)));
		},
		redact,
		log,
	});
	const observation = observe({
		agent,
		state,
		ownership: workshop.ownership,
		ledger,
		runs,
		repositories: Object.fromEntries([[repository.name, repository], ...repositories.copies.map(copy => [copy.name, rarely(copy)])]),
		restic: createRestic(here, config.repository, {withoutLock: true}),
		hub,
		log,
		version,
		isSlackConnected,
	});
	for (const {message, hint} of examineCache(config.repository.cacheDirectory)) {
		log.warning(`${message}${hint === undefined ? '' : ` (${hint})`}`);
	}

	// A port that is taken keeps nobody stopped, and no backup from being made.
	const server = untilDone('nobody can be answered: HOLDFAST_LISTEN is tried again', {log, signal}, async () =>
		startServer({
			agent,
			token: config.apiToken,
			listen: config.listen,
			metrics: observation.metrics,
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
	untilDone('the repository cannot be opened', {log, signal}, async () => {
		log.info(`repository ${(await repository.open()).slice(0, 8)} is open`);
		if (state.interruptedRuns().length > 0) {
			// Without a lock: what is asked may be shut out by one that the dead left, and that is removed only when it is known which runs are over.
			const restic = workshop.restic(here, {withoutLock: true});
			await closeInterrupted(recovery, {
				points: await listPoints(restic),
				manifestOf: async point => readManifest(restic, point),
				isUnderWay: ({run}) => runs.isUnderWay(run),
			});
		}

		await releaseLocks(sweeper, log, signal);
	}).catch(() => {});

	schedule = keepSchedule(agent, {timeZone: config.timeZone, log, notices});
	const {refresh} = observation.metrics;
	const endKeepingUp = keepUp({schedule, engine, config, survey, neighbours, missing, copying, repository, state, refresh, log, signal});
	// What is left of the life before may take its time: what a run of this one leaves does not wait for it.
	putBackAtStart.catch(() => {});
	void removeSnapshots(workshop, {isUnderWay: runs.isUnderWay, log});
	keepPuttingBack(recovery, {isUnderWay: runs.isUnderWay, upTo, signal}).catch(() => {});
	keepRemovingUnstarted(recovery, {signal}).catch(() => {});
	expire();
	const expiry = setInterval(expire, expiryMs);
	return {
		async close() {
			observation.close();
			endKeepingUp();
			clearInterval(expiry);
			schedule?.close();
			await Promise.race([agent.close(), untilNothingIsWon(engine, state)]);
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
