/** Containers and their labels → targets. Pure but for the list that it is given. */

import {defaultPrefix} from '../../base/label.ts';
import type {Problem} from '../../base/problem.ts';
import {quote, quoteAll} from '../../base/reading/quote.ts';
import type {DialectName} from '../../base/reading/values.ts';
import {isOneOff, malformedCompose, replicaNumber} from '../../docker/compose.ts';
import {type Container, knownName, workerLabel} from '../../docker/container.ts';
import {whyUncertain} from '../../docker/tasks.ts';
import type {Program} from './dialects/program.ts';
import {translate} from './dialects/translate.ts';
import {mergePolicies} from './group.ts';
import type {Labels} from './label-names.ts';
import {isEnabled, type Policy, parseLabels} from './labels.ts';
import type {Suggestion} from './suggest.ts';
import type {Member, Target} from './target.ts';

/** A worker has these itself: a target's files could not be shown at `/<target>` there. */
const reservedNames = ['proc', 'sys'];

export interface DiscoveryOptions {
	prefix?: string;
	/** Programs whose labels are understood, too. */
	dialects?: readonly DialectName[];
	/** Their own containers, which say in their environment what labels do not. */
	programs?: readonly Program[];
	/** The Compose projects to look at. Empty: every one, and containers outside Compose. */
	projects?: readonly string[];
	/** Further first elements of paths that a worker has itself, such as those of the agent's own mounts. */
	reserved?: readonly string[];
	/** By the ids of containers that nobody labelled: what they are protected by all the same. */
	suggested?: ReadonlyMap<string, Suggestion>;
}

/** Sorted by name. Never throws: what is wrong with a target is one of its problems. */
export function discoverTargets(
	containers: readonly Container[],
	{prefix = defaultPrefix, dialects = [], programs = [], projects = [], reserved = [], suggested = new Map()}: DiscoveryOptions = {},
): Target[] {
	const inScope = containers.filter(
		({labels, project}) =>
			labels[workerLabel] === undefined &&
			!isOneOff(labels) &&
			(projects.length === 0 || (project !== undefined && projects.includes(project))),
	);
	const services = Map.groupBy(inScope, serviceName);
	const found = [...services.values()].flatMap(replicas => memberOf(replicas, {prefix, dialects, programs, suggested}) ?? []);
	const targets = Map.groupBy(found, ({member: {container, policy}}) =>
		container.project === undefined ? knownName(container) : `${container.project}/${policy.group ?? container.service}`,
	);
	return [...targets]
		.map(([name, members]) => targetOf(name, members, {prefix, reserved: [...reservedNames, ...reserved]}))
		.sort((a, b) => compareText(a.name, b.name));
}

/** A container outside Compose is a service of its own. No container's name holds a slash. */
const serviceName = (container: Container): string =>
	container.project === undefined ? knownName(container) : `${container.project}/${container.service}`;

interface Found {
	member: Member;
	problems: Problem[];
}

/** Undefined where no replica asks to be a target. */
function memberOf(
	replicas: readonly Container[],
	{prefix, dialects: names, programs, suggested}: Required<Pick<DiscoveryOptions, 'prefix' | 'dialects' | 'programs' | 'suggested'>>,
): Found | undefined {
	const translated = new Map(replicas.map(container => [container, translate(container, {prefix, names, programs})]));
	const [container] = [...translated.keys()]
		.filter(each => isEnabled(translated.get(each)?.labels ?? {}, prefix) || suggested.has(each.id))
		.sort(compareReplicas);
	if (container === undefined) {
		return undefined;
	}

	const {labels, notes} = translated.get(container) ?? {labels: container.labels, notes: []};
	const others = replicas.filter(({id}) => id !== container.id).sort(compareReplicas);
	const suggestion = suggested.get(container.id);
	const {policy, problems} = parseLabels(
		{...prefixed(suggestion?.labels ?? {}, prefix), ...labels},
		{prefix, subject: serviceName(container)},
	);
	return {
		member: {
			prefix: policy.group === undefined || container.project === undefined ? '' : `${container.service}/`,
			service: container.service ?? knownName(container),
			container,
			replicas: [container, ...others],
			policy,
			...(notes.length === 0 ? {} : {translated: notes}),
			...(suggestion === undefined ? {} : {suggestion: suggestion.why}),
		},
		problems: [...problems, ...outsideCompose(container, policy, prefix)],
	};
}

const prefixed = (labels: Labels, prefix: string): Labels =>
	Object.fromEntries(Object.entries(labels).map(([name, value]) => [prefix + name, value]));

function outsideCompose({name, project, labels}: Container, {group}: Policy, prefix: string): Problem[] {
	if (project !== undefined) {
		return [];
	}

	const malformed = malformedCompose(labels);
	const problems: Problem[] =
		malformed.length === 0
			? []
			: [{message: `\`${name}\`: its Compose labels must name a project and a service, got ${quoteAll(malformed)}`}];
	if (group !== undefined) {
		problems.push({
			message: `\`${name}\`: \`${prefix}group\` must be on a Compose service, got ${quote(group)} on a container outside Compose`,
		});
	}

	return problems;
}

function targetOf(name: string, found: readonly Found[], {prefix, reserved}: {prefix: string; reserved: readonly string[]}): Target {
	const members = found.map(({member}) => member).sort((a, b) => compareText(a.service, b.service)) as [Member, ...Member[]];
	const {policy, problems} = mergePolicies(members, {prefix, subject: name});
	const [{container}] = members;
	for (const {container: unanswered} of members.filter(member => member.container.isUnanswered)) {
		problems.push({
			message: `\`${name}\`: the engine does not answer for container \`${unanswered.name}\`, so what it mounts is not known`,
			hint: `see what \`docker inspect ${unanswered.name}\` says`,
		});
	}

	for (const {container: task} of members) {
		const uncertain = whyUncertain(task);
		if (uncertain !== undefined) {
			problems.push({message: `\`${name}\`: ${uncertain.message}`, hint: uncertain.hint});
		}
	}

	const own = container.project ?? knownName(container);
	if (reserved.includes(own)) {
		problems.push({
			message: `\`${name}\`: the name \`${own}\` is reserved: its files are shown to restic under /${own}`,
			hint: 'rename the project or the container',
		});
	}

	const alone = members.find(member => member.prefix === '');
	if (alone !== undefined && members.length > 1) {
		problems.push({
			message: `\`${name}\`: \`${prefix}group\` must not be the name of a service that is a target itself, got ${quote(alone.service)}`,
			hint: `give \`${alone.service}\` the same group, or rename the group`,
		});
	}

	return {name, project: container.project, members, policy, problems: [...found.flatMap(one => one.problems), ...problems]};
}

function compareReplicas(a: Container, b: Container): number {
	const running = Number(b.state === 'running') - Number(a.state === 'running');
	const [first, second] = [replicaNumber(a.labels), replicaNumber(b.labels)];
	return running || (first === second ? compareText(a.name, b.name) : first - second);
}

/** By code unit: the same on every machine. */
const compareText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** Containers with labels of ours that ask for nothing, because `enable` is missing. Says which labels. */
export function findStrayLabels(
	containers: readonly Container[],
	{prefix = defaultPrefix}: {prefix?: string} = {},
): Array<{container: Container; labels: string[]}> {
	return containers
		.filter(({labels}) => labels[workerLabel] === undefined && !Object.hasOwn(labels, `${prefix}enable`))
		.map(container => ({
			container,
			labels: Object.keys(container.labels)
				.filter(label => label.startsWith(prefix))
				.sort(),
		}))
		.filter(({labels}) => labels.length > 0);
}
