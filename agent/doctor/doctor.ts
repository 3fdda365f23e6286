/** What is unprotected or misconfigured, and what to do about it. */

import {ownTimeZone} from '../../base/clock.ts';
import type {Appointments} from '../../base/due.ts';
import {explain, explanation, RepositoryError} from '../../base/errors.ts';
import {runId} from '../../base/ids.ts';
import {label} from '../../base/label.ts';
import {repositoryTarget} from '../../base/results.ts';
import type {Kept} from '../../base/shapes/kit.ts';
import type {Finding, OtherAgent, Unprotected} from '../../base/shapes/targets.ts';
import {moment} from '../../base/units.ts';
import type {Workforce} from '../../docker/worker.ts';
import type {Missing} from '../overview/gone.ts';
import type {Surveyed} from '../plan/planned.ts';
import type {Listed, Survey} from '../plan/survey.ts';
import type {CopyRepository, Repositories} from '../repository/repositories.ts';
import {folderOf} from '../restic/restic.ts';
import {waysOut} from '../restore/roll-back.ts';
import {hired} from '../runs/shell.ts';
import type {Workshop} from '../runs/workshop.ts';
import {kindOf} from '../sources/kinds.ts';
import type {RestoreRecord} from '../state/restores.ts';
import type {State} from '../state/state.ts';
import {findStrayLabels} from '../targets/discovery.ts';
import {examineEngine, examinePermissions} from './engine.ts';
import {examineCache} from './folders.ts';
import {examineLasting} from './lasting.ts';
import {examineNamespaces} from './namespaces.ts';
import {examineReach, examineRepository, shut} from './repository.ts';
import {examineSlack} from './slack.ts';
import {examineServices} from './swarm.ts';

interface Examined {
	workshop: Workshop;
	survey: Survey;
	repositories: Repositories;
	appointments: Appointments;
	missing: Pick<Missing, 'look'>;
	state: Pick<State, 'suspicions' | 'restores' | 'tryToWrite'>;
	neighbours: (listed: Listed) => Promise<{others: OtherAgent[]}>;
	/** Undefined where there is no bot. */
	isSlackConnected: () => boolean | undefined;
	kitKept: () => Kept | null;
}

/** Never rejects: what cannot be examined is a finding that says so, and keeps nothing else from being examined. */
export async function diagnose({
	workshop,
	survey,
	repositories,
	missing,
	state,
	neighbours,
	appointments,
	isSlackConnected,
	kitKept,
}: Examined): Promise<Finding[]> {
	const {engine, versions, ownership, host} = workshop;
	const {primary, copies} = repositories;
	const own = [
		await examined('version', () => [versionsOf(versions)]),
		await examined('clock', () => [timeZone(appointments)]),
		await examined('slack', () => [examineSlack(isSlackConnected())]),
		await examined('kit', () => [examineKit(kitKept())]),
		await examined('state', () => examineState(state)),
		await examined('repository', async () =>
			examineRepository(workshop.restic(), {door: primary, ownership, host, resticVersion: versions.restic}),
		),
		await examined('copies', async () => Promise.all(copies.map(copyFinding))),
		await examined('cache', () => examineCache(primary.repository.cacheDirectory)),
	].flat();
	const left = [
		await examined('restores', () => state.restores().flatMap(leftToPerson)),
		await examined('sizes', () => [...state.suspicions()].map(([subject, message]) => suspicious(subject, message))),
	].flat();
	const away = await engine.info().then(
		() => undefined,
		(error: unknown) => error,
	);
	if (away !== undefined) {
		return [...own, ...left, silent(engine.address, away)];
	}

	let listed: Listed;
	try {
		listed = await survey.list();
	} catch (error) {
		return [...own, ...left, unexamined('targets', error)];
	}

	return [
		own,
		await examined('engine', async () => examineEngine(engine)),
		await examined('services', async () => examineServices(engine, listed.containers, label(''))),
		await examined('namespaces', async () => examineNamespaces(engine, listed.inScope, listed.containers)),
		await examined('targets', async () => examineTargets(workshop, survey, listed)),
		await examined('volumes', async () =>
			examineLasting({
				folder: folderOf(primary.repository),
				hasCopies: copies.length > 0,
				self: workshop.self,
				volumes: await engine.volumes(),
			}),
		),
		await examined('targets', () => {
			const {gone, moved} = missing.look(listed.targets, listed.containers);
			return [
				...gone.map(({target: subject, message, hint}) => ({level: 'error' as const, subject, message, hint})),
				...moved.map(({target: subject, message}) => ({level: 'ok' as const, subject, message})),
			];
		}),
		left,
		await examined('agents', async () => (await neighbours(listed)).others.map(({finding}) => finding)),
	].flat();
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

/** Without it no run can begin: what must be undone after a kill stands there. */
function examineState({tryToWrite}: Pick<State, 'tryToWrite'>): Finding[] {
	try {
		tryToWrite();
		return [];
	} catch (error) {
		const {message, hint} = explanation(error);
		return [{level: 'error', subject: 'state', message: `${message}: no run can begin`, ...(hint === undefined ? {} : {hint})}];
	}
}

const leftToPerson = ({run, target, phase}: RestoreRecord): Finding[] =>
	phase === 'failed'
		? [
				{
					level: 'error',
					subject: target,
					message: `restore ${run} failed, and left it half replaced: no backup is made of it`,
					hint: waysOut(run),
				},
			]
		: [];

const suspicious = (subject: string, message: string): Finding => ({
	level: 'warning',
	subject,
	message,
	hint: `if nothing is lost: holdfast prune --accept ${subject}`,
});

/** Those of the engine and of database servers stand with them. */
function versionsOf({holdfast, restic}: Workshop['versions']): Finding {
	const {node, sqlite} = process.versions;
	return {level: 'ok', subject: 'version', message: `Holdfast ${holdfast}, restic ${restic}, SQLite ${sqlite}, Node ${node}`};
}

/** A repository whose password went with the host is lost, too. */
const examineKit = (kept: Kept | null): Finding =>
	kept === null
		? {
				level: 'warning',
				subject: 'kit',
				message:
					'nobody has said that what opens the repositories is kept elsewhere: with the host it would be gone, and every backup with it',
				hint: 'holdfast kit prints it; when it is kept: holdfast kit --kept',
			}
		: {level: 'ok', subject: 'kit', message: `what opens the repositories is kept elsewhere, as was said at ${kept.at}`};

/** Where nobody set TZ, three o'clock is three o'clock in Greenwich. */
function timeZone(appointments: Appointments): Finding {
	const count = appointments().length;
	return {
		level: 'ok',
		subject: 'clock',
		message: `it is ${moment(new Date().toISOString())} in ${ownTimeZone()}, the zone of ${count} schedules (TZ)`,
	};
}

/** Where a label is named, it is the label. */
const hintTo = (message: string, target: string): string =>
	message.includes(`\`${label('')}`) ? 'correct the label and run `docker compose up -d`' : `holdfast plan ${target} asks again`;

async function examineTargets(workshop: Workshop, survey: Survey, listed: Listed): Promise<Finding[]> {
	const surveyed = await survey.all(listed);
	const {inScope: containers} = listed;
	const findings: Finding[] = [];
	if (surveyed.length === 0) {
		findings.push({
			level: 'error',
			subject: 'targets',
			message: `no container carries \`${label('enable')}=true\``,
			hint: 'label a service and run `docker compose up -d`',
		});
	}

	for (const project of survey.projects.filter(name => !containers.some(container => container.project === name))) {
		findings.push({
			level: 'warning',
			subject: 'HOLDFAST_PROJECTS',
			message: `there is no container of project \`${project}\``,
			hint: 'is it up? `docker compose ls --all` lists the names',
		});
	}

	for (const {target, plan} of surveyed) {
		findings.push(
			...plan.absent.map(({source, why, hint}) => ({
				level: 'warning' as const,
				subject: target.name,
				message: `\`${source}\` is in no new point: ${why}`,
				hint,
			})),
		);
	}

	for (const {target, problems} of surveyed) {
		findings.push(
			...problems.map(({message, hint = hintTo(message, target.name)}) => ({
				level: 'error' as const,
				subject: target.name,
				message,
				hint,
			})),
		);
	}

	const seen = await hired(workshop, `doctor-${runId(Date.now())}`, async workforce => [
		...(await examinePermissions(workshop.engine, workforce, async place => examineReach(workshop.restic(place)))),
		...(await examineSources(workshop, surveyed, workforce)),
	]);
	findings.push(...seen);
	findings.push(
		...findStrayLabels(containers).map(({container, labels}) => ({
			level: 'warning' as const,
			subject: container.name,
			message: `it carries ${labels.map(label => `\`${label}\``).join(', ')} but is no target`,
			hint: `add the label ${label('enable')}=true`,
		})),
	);
	return [...findings, ...(await survey.unprotected(listed, surveyed)).map(unprotectedFinding)];
}

function unprotectedFinding({container, storage, path, server, target, instead}: Unprotected): Finding {
	const advice = `label it: ${[`${label('enable')}=true`, ...labelsOf(server)].join(' and ')}`;
	return {
		level: 'warning',
		subject: target ?? container,
		message: `no target backs up ${storage}, which \`${container}\` has at ${path}${server === undefined ? '' : ` (${server.title}, by ${server.by})`}${instead === undefined ? '' : `: of the replicas of a service one is backed up, \`${instead}\``}`,
		hint:
			target === undefined
				? `${advice}; or, when it is meant so, ${label('enable')}=false`
				: instead !== undefined
					? `run one replica (\`deploy.replicas: 1\`, or \`--scale\`), or give all of them one volume with a name; or, when what the others have need not be kept, ${label('volumes')}=true says so`
					: `add ${label('volumes')}: true, or the paths of those that matter; or, when it is meant so, false`,
	};
}

/** What needs more than a word is printed whole by a command. */
function labelsOf(server: Unprotected['server']): string[] {
	const labels = Object.entries(server?.labels ?? {});
	return labels.every(([, value]) => value === 'true')
		? labels.map(([name, value]) => `${label(name)}=${value}`)
		: ['those that `holdfast labels` prints for it'];
}

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

/** What each kind has to say of the containers of its sources. */
async function examineSources({engine}: Workshop, surveyed: readonly Surveyed[], workforce: Workforce): Promise<Finding[]> {
	const examined = new Map(
		surveyed.flatMap(({target, plan}) =>
			plan.sources.map(source => [`${source.kind} ${source.container.id}`, {source, subject: target.name}] as const),
		),
	);
	const findings: Finding[] = [];
	for (const {source, subject} of examined.values()) {
		const finding = await kindOf(source.kind).examine?.(source, {engine, workforce});
		findings.push(...(finding === undefined ? [] : [{...finding, subject}]));
	}

	return findings;
}
