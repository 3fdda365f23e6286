/** What is unprotected or misconfigured, and what to do about it. */

import {ownTimeZone} from '../../base/clock.ts';
import type {Appointments} from '../../base/due.ts';
import {explain, RepositoryError} from '../../base/errors.ts';
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
import {findStrayLabels} from '../targets/discovery.ts';
import {examineEngine, examinePermissions} from './engine.ts';
import {examineCache} from './folders.ts';
import {examineLasting} from './lasting.ts';
import {examineReach, examineRepository, shut} from './repository.ts';
import {examineSlack} from './slack.ts';
import {examineServices} from './swarm.ts';

interface Examined {
	workshop: Workshop;
	survey: Survey;
	repositories: Repositories;
	appointments: Appointments;
	missing: Pick<Missing, 'look'>;
	/** By target: what was much smaller than before, and nobody has accepted. */
	suspicions: () => ReadonlyMap<string, string>;
	/** What restores replaced and is kept. */
	restores: () => readonly RestoreRecord[];
	neighbours: (listed: Listed) => Promise<{others: OtherAgent[]}>;
	/** Undefined where there is no bot. */
	isSlackConnected: () => boolean | undefined;
	kitKept: () => Kept | null;
}

/** Never rejects for what it finds: an engine that is away is a finding. */
export async function diagnose({
	workshop,
	survey,
	repositories,
	missing,
	suspicions,
	restores,
	neighbours,
	appointments,
	isSlackConnected,
	kitKept,
}: Examined): Promise<Finding[]> {
	const {engine, versions} = workshop;
	const findings: Finding[] = [versionsOf(versions), timeZone(appointments), examineSlack(isSlackConnected()), examineKit(kitKept())];
	const {ownership, host} = workshop;
	findings.push(
		...(await examineRepository(workshop.restic(), {door: repositories.primary, ownership, host, resticVersion: versions.restic})),
	);
	findings.push(
		...(await Promise.all(repositories.copies.map(copyFinding))),
		...examineCache(repositories.primary.repository.cacheDirectory),
	);
	try {
		const listed = await survey.list();
		findings.push(
			...(await examineEngine(engine)),
			...(await examineServices(engine, listed.containers, label(''))),
			...(await examineTargets(workshop, survey, listed)),
		);
		findings.push(
			...examineLasting({
				folder: folderOf(repositories.primary.repository),
				hasCopies: repositories.copies.length > 0,
				self: workshop.self,
				volumes: await engine.volumes(),
			}),
		);
		const {gone, moved} = missing.look(listed.targets, listed.containers);
		findings.push(...gone.map(({target: subject, message, hint}) => ({level: 'error' as const, subject, message, hint})));
		findings.push(...moved.map(({target: subject, message}) => ({level: 'ok' as const, subject, message})));
		findings.push(...restores().flatMap(leftToPerson));
		findings.push(...[...suspicions()].map(([subject, message]) => suspicious(subject, message)));
		findings.push(...(await neighbours(listed)).others.map(({finding}) => finding));
	} catch (error) {
		findings.push({
			level: 'error',
			subject: 'engine',
			message: `it does not answer at ${engine.address}: ${explain(error)}`,
			hint: 'is it running, and its socket mounted or its proxy up?',
		});
	}

	return findings;
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

function unprotectedFinding({container, storage, path, server, target}: Unprotected): Finding {
	const advice = `label it: ${[`${label('enable')}=true`, ...labelsOf(server)].join(' and ')}`;
	return {
		level: 'warning',
		subject: target ?? container,
		message: `no target backs up ${storage}, which \`${container}\` has at ${path}${server === undefined ? '' : ` (${server.title}, by ${server.by})`}`,
		hint:
			target === undefined
				? `${advice}; or, when it is meant so, ${label('enable')}=false`
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
