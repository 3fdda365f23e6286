/** What is found, what of it cannot be backed up, and what nobody backs up. */
import {runId} from '../../base/ids.ts';
import {label} from '../../base/label.ts';
import type {Finding, Unprotected} from '../../base/shapes/targets.ts';
import type {Workforce} from '../../docker/worker.ts';
import type {Surveyed} from '../plan/planned.ts';
import type {Listed, Survey} from '../plan/survey.ts';
import {hired} from '../runs/shell.ts';
import type {Workshop} from '../runs/workshop.ts';
import {kindOf} from '../sources/kinds.ts';
import {findStrayLabels} from '../targets/discovery.ts';
import {examinePermissions} from './engine.ts';
import {examineReach} from './repository.ts';

export async function examineTargets(workshop: Workshop, survey: Survey, listed: Listed): Promise<Finding[]> {
	const surveyed = await survey.all(listed);
	const {inScope: containers} = listed;
	const absent = survey.projects.filter(name => !containers.some(({project}) => project === name));
	return [
		...(surveyed.length === 0 ? [nothing()] : []),
		...absent.map(missingProject),
		...surveyed.flatMap(resting),
		...surveyed.flatMap(mistaken),
		...(await hired(workshop, `doctor-${runId(Date.now())}`, async workforce => [
			...(await examinePermissions(workshop.engine, workforce, async place => examineReach(workshop.restic(place)))),
			...(await examineSources(workshop, surveyed, workforce)),
		])),
		...findStrayLabels(containers).map(stray),
		...(await survey.unprotected(listed, surveyed)).map(unprotectedFinding),
	];
}

const nothing = (): Finding => ({
	level: 'error',
	subject: 'targets',
	message: `no container carries \`${label('enable')}=true\``,
	hint: 'label a service and run `docker compose up -d`',
});

const missingProject = (project: string): Finding => ({
	level: 'warning',
	subject: 'HOLDFAST_PROJECTS',
	message: `there is no container of project \`${project}\``,
	hint: 'is it up? `docker compose ls --all` lists the names',
});

const resting = ({target, plan}: Surveyed): Finding[] =>
	plan.absent.map(({source, why, hint}) => ({
		level: 'warning',
		subject: target.name,
		message: `\`${source}\` is in no new point: ${why}`,
		hint,
	}));

const mistaken = ({target: {name}, problems}: Surveyed): Finding[] =>
	problems.map(({message, hint = hintTo(message, name)}) => ({level: 'error', subject: name, message, hint}));

/** Where a label is named, it is the label. */
const hintTo = (message: string, target: string): string =>
	message.includes(`\`${label('')}`) ? 'correct the label and run `docker compose up -d`' : `\`holdfast plan ${target}\` asks again`;

const stray = ({container, labels}: ReturnType<typeof findStrayLabels>[number]): Finding => ({
	level: 'warning',
	subject: container.name,
	message: `it carries ${labels.map(name => `\`${name}\``).join(', ')} but is no target`,
	hint: `add the label ${label('enable')}=true`,
});

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
