/** What is unprotected or misconfigured, and what to do about it. */

import type {Appointments} from '../../base/due.ts';
import {explain, explanation, RepositoryError} from '../../base/errors.ts';
import {label} from '../../base/label.ts';
import {repositoryTarget} from '../../base/results.ts';
import type {Kept} from '../../base/shapes/kit.ts';
import type {Finding, OtherAgent} from '../../base/shapes/targets.ts';
import type {EngineInfo} from '../../docker/calls/info.ts';
import {servicesOfManager} from '../../docker/swarm.ts';
import type {Abandoned} from '../overview/abandoned.ts';
import type {Missing} from '../overview/gone.ts';
import type {Listed, Survey} from '../plan/survey.ts';
import type {CopyRepository, Repositories} from '../repository/repositories.ts';
import {folderOf} from '../restic/repository.ts';
import type {Workshop} from '../runs/workshop.ts';
import type {State} from '../state/state.ts';
import {examineEngine} from './engine.ts';
import {examineCache} from './folders.ts';
import {examineFormer} from './former.ts';
import {examineLasting} from './lasting.ts';
import {examineNamespaces} from './namespaces.ts';
import {examineKit, examineState, leftToPerson, suspicious, timeZone, versionsOf} from './own.ts';
import {examineRepository, shut} from './repository.ts';
import {examineSlack} from './slack.ts';
import {examineServices} from './swarm.ts';
import {examineTargets} from './targets.ts';

interface Examined {
	workshop: Workshop;
	survey: Survey;
	repositories: Repositories;
	appointments: Appointments;
	missing: Pick<Missing, 'look'>;
	abandoned: Abandoned;
	state: Pick<State, 'suspicions' | 'restores' | 'tryToWrite' | 'runs'>;
	neighbours: (listed: Listed) => Promise<{others: OtherAgent[]}>;
	/** Undefined where there is no bot. */
	isSlackConnected: () => boolean | undefined;
	kitKept: () => Kept | null;
}

/** Never rejects: what cannot be examined is a finding that says so, and keeps nothing else from being examined. */
export async function diagnose(examinee: Examined): Promise<Finding[]> {
	const {state} = examinee;
	// Beside what the engine is asked: a repository that is away takes a minute to say so, to the agent and to a worker.
	const own = examineOwn(examinee);
	const left = [
		await examined('restores', () => state.restores().flatMap(leftToPerson)),
		await examined('sizes', () => [...state.suspicions()].map(([subject, message]) => suspicious(subject, message))),
	].flat();
	const others = await examineHost(examinee, left);
	return [...(await own), ...others];
}

/** What the agent is, and what it works with but for the engine. */
async function examineOwn({workshop, repositories, state, appointments, isSlackConnected, kitKept}: Examined): Promise<Finding[]> {
	const {versions, ownership, host, self} = workshop;
	const {primary, copies} = repositories;
	const found = await Promise.all([
		examined('version', () => [versionsOf(versions)]),
		examined('clock', () => [timeZone(appointments)]),
		examined('slack', () => [examineSlack(isSlackConnected())]),
		examined('kit', () => [examineKit(kitKept())]),
		examined('state', () => examineState(state)),
		examined('repository', async () =>
			examineRepository(workshop.restic(), {door: primary, ownership, host, resticVersion: versions.restic}),
		),
		examined('copies', async () => Promise.all(copies.map(copyFinding))),
		examined('cache', () => examineCache(primary.repository.cacheDirectory, self)),
	]);
	return found.flat();
}

/** The engine, and what it runs. @param left is told where others expect it, after what concerns targets */
async function examineHost(examinee: Examined, left: readonly Finding[]): Promise<Finding[]> {
	const {workshop, survey, abandoned, neighbours} = examinee;
	const {engine} = workshop;
	let info: EngineInfo;
	try {
		info = await engine.info();
	} catch (error) {
		return [...left, silent(engine.address, error)];
	}

	let listed: Listed;
	try {
		listed = await survey.list();
	} catch (error) {
		return [...left, unexamined('targets', error)];
	}

	const {containers, inScope} = listed;
	const services = await servicesOfManager(engine, info);
	return [
		await examined('engine', async () => examineEngine(engine)),
		await examined('services', async () => examineServices(engine, {services, containers}, label(''))),
		await examined('services', () => abandoned(services)),
		await examined('namespaces', async () => examineNamespaces(engine, inScope, containers)),
		await examined('targets', async () => examineTargets(workshop, survey, listed)),
		await examined('volumes', async () => examineVolumes(examinee, listed)),
		await examined('targets', () => examineMissed(examinee, listed)),
		left,
		await examined('agents', async () => (await neighbours(listed)).others.map(({finding}) => finding)),
	].flat();
}

async function examineVolumes({workshop, repositories, state}: Examined, {containers}: Listed): Promise<Finding[]> {
	const {engine, self} = workshop;
	const volumes = await engine.volumes();
	const isNew = state.runs({operation: 'backup', outcome: 'success', limit: 1}).length === 0;
	return [
		...examineLasting({folder: folderOf(repositories.primary.repository), hasCopies: repositories.copies.length > 0, self, volumes}),
		...examineFormer({isNew, self, volumes, containers}),
	];
}

function examineMissed({missing}: Examined, {targets, containers}: Listed): Finding[] {
	const {gone, moved} = missing.look(targets, containers);
	return [
		...gone.map(({target: subject, message, hint}) => ({level: 'error' as const, subject, message, hint})),
		...moved.map(({target: subject, message}) => ({level: 'ok' as const, subject, message})),
	];
}

async function examined(subject: string, work: () => Finding[] | Promise<Finding[]>): Promise<Finding[]> {
	try {
		return await work();
	} catch (error) {
		return [unexamined(subject, error)];
	}
}

function unexamined(subject: string, error: unknown): Finding {
	const {message, hint = 'what else is found here may be why; the log of the agent says more'} = explanation(error);
	return {level: 'error', subject, message: `it could not be examined: ${message}`, hint};
}

const silent = (address: string, error: unknown): Finding => ({
	level: 'error',
	subject: 'engine',
	message: `it does not answer at ${address}: ${explain(error)}`,
	hint: 'is it running, and its socket mounted or its proxy up?',
});

async function copyFinding({name, isKnown, open}: CopyRepository): Promise<Finding> {
	const subject = repositoryTarget(name);
	try {
		return {level: 'ok', subject, message: `opened (id ${(await open()).slice(0, 8)})`};
	} catch (error) {
		return error instanceof RepositoryError && error.problem === 'missing' && !isKnown()
			? {level: 'warning', subject, message: 'it is not made yet', hint: `the first copy makes it: holdfast copy ${name}`}
			: shut(subject, error);
	}
}
