/** What the agent is made of: each thing is made here, once, and given to all who need it. Nothing is done yet. */
import {homedir} from 'node:os';
import type {Appointments, NextDue} from '../base/due.ts';
import type {EventHub} from '../base/events.ts';
import {longestGapMs} from '../base/gap.ts';
import {here} from '../base/here.ts';
import type {Log} from '../base/log.ts';
import type {Notices} from '../base/notices.ts';
import {watchActivity} from '../docker/activity.ts';
import {createAgent} from './agent.ts';
import {createArchives} from './archive/verbs.ts';
import {createBackups} from './backup/verbs.ts';
import {createBrowsing} from './browse/verbs.ts';
import type {Config} from './config/config.ts';
import {createCopying} from './copy/verbs.ts';
import {diagnose} from './doctor/doctor.ts';
import {createDrills} from './drill/verbs.ts';
import {createElection} from './keep/election.ts';
import {isLockOf, withNamedLocks} from './keep/locks.ts';
import {createSweeper, type Sweeper} from './keep/sweep.ts';
import {createUpkeep} from './keep/verbs.ts';
import {createAbandoned} from './overview/abandoned.ts';
import {createMissing} from './overview/gone.ts';
import {createKits} from './overview/kit.ts';
import {createLedger, type Ledger} from './overview/ledger.ts';
import {divide, ownAgent} from './overview/neighbours.ts';
import {createOverviews} from './overview/verbs.ts';
import {createSurvey, type Listed, type Survey} from './plan/survey.ts';
import {createRepositories, type Repositories} from './repository/repositories.ts';
import {createRestic} from './restic/create.ts';
import {createSettle} from './restore/settle.ts';
import {createRestores} from './restore/verbs.ts';
import {createRuns, type Runs} from './runs/runs.ts';
import type {Workshop} from './runs/workshop.ts';
import type {State} from './state/state.ts';
import {createAgentFinder} from './targets/agents.ts';

/** How long maintenance waits for others who use the repository: meanwhile no backup of this agent begins. */
const maintenancePatienceSeconds = 600;

/** What is there before, and what comes after. */
export interface Ground {
	state: State;
	hub: EventHub;
	notices: Notices;
	log: Log;
	workshop: Workshop;
	/** Where the engine keeps its volumes, on the host. */
	dataRoot: string;
	version: string;
	nextDue: NextDue;
	appointments: Appointments;
	isSlackConnected: () => boolean | undefined;
}

/** What several of the agent's parts have in common. */
interface Common {
	workshop: Workshop;
	survey: Survey;
	runs: Runs;
	state: State;
	repositories: Repositories;
}

export function assemble(config: Config, ground: Ground) {
	const {state, hub, notices, log, workshop, version, nextDue, appointments, isSlackConnected} = ground;
	const {engine, ownership} = workshop;
	const {labelPrefix: prefix, shrinkLimit, restoreMarginBytes, importLimitBytes} = config;
	const survey = surveyOf(config, ground);
	const runs = createRuns({
		state,
		hub,
		concurrency: config.concurrency,
		stallLimitMs: config.stallLimitMs,
		activity: run => watchActivity(engine, run),
	});
	const repositories = createRepositories({primary: config.repository, copies: config.copies, state});
	const repository = repositories.primary;
	const common: Common = {workshop, survey, runs, state, repositories};
	const ledger = createLedger(state, workshop);
	const missing = createMissing({
		state,
		own: {agent: workshop.agentId, host: workshop.host},
		ownership,
		notices,
		ledger,
		shrinkLimit,
		prefix,
	});
	const abandoned = createAbandoned({state, notices});
	const neighbours = neighboursOf(config, workshop);
	const copying = createCopying({...common, prefix, policy: config});
	const sweeper = sweeperOf(config, common);
	const upkeep = upkeepOf(config, {...common, sweeper, notices, ledger});
	const settle = createSettle(common);
	const kits = createKits({state, repositories, host: workshop.host, version, home: homedir(), mounts: workshop.self.mounts});
	const agent = createAgent({
		verbs: {
			...createOverviews({kits, survey, runs, state, repositories, ownership, ledger, missing, neighbours, nextDue, appointments}),
			...createBackups({...common, upkeep, notices}),
			...createRestores({...common, restoreMarginBytes, shrinkLimit, settle}),
			...createDrills(common),
			...copying,
			...upkeep,
			...createArchives({workshop, survey, runs, repository, importLimitBytes, log}),
			...createBrowsing({repositories, ownership}),
		},
		runs,
		state,
		doctor: async () =>
			diagnose({
				workshop,
				survey,
				repositories,
				missing,
				abandoned,
				state,
				neighbours,
				appointments,
				isSlackConnected,
				kitKept: kits.kitKept,
			}),
		engine,
		repository,
	});
	return {agent, survey, runs, repositories, ledger, missing, abandoned, neighbours, copying, sweeper, settle};
}

const surveyOf = (config: Config, {workshop, dataRoot}: Ground): Survey =>
	createSurvey({
		engine: workshop.engine,
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

/** Of what is listed: which targets other agents serve. */
function neighboursOf({stateDirectory, labelPrefix: prefix, projects = []}: Config, {engine, self: {containerId}}: Workshop) {
	const findAgents = createAgentFinder(engine, {containerId, stateDirectory, prefix});
	return async ({containers, targets}: Listed) =>
		divide(targets, await findAgents(containers), ownAgent(containers, containerId, projects));
}

const sweeperOf = (config: Config, {workshop, repositories, state}: Common): Sweeper =>
	createSweeper({
		workshop,
		withRestic: (run, work) =>
			withNamedLocks(workshop, run, place => work(createRestic(place, config.repository, {lockPatienceSeconds: 0}))),
		door: repositories.primary,
		state,
	});

function upkeepOf(config: Config, {sweeper, notices, ledger, ...common}: Common & {sweeper: Sweeper; notices: Notices; ledger: Ledger}) {
	const {workshop, survey, runs, state, repositories} = common;
	const repository = repositories.primary;
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
	return createUpkeep({
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
		ledger,
		checkParts: config.checkParts,
	});
}
