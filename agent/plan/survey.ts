/** What is there now: targets by label, what a run of each would do, and what is wrong with them. */

import PQueue from 'p-queue';
import type {ScheduleEntry} from '../../base/due.ts';
import {explain, NotFoundError} from '../../base/errors.ts';
import {label} from '../../base/label.ts';
import type {Problem} from '../../base/problem.ts';
import {nearest} from '../../base/reading/nearest.ts';
import type {Unprotected} from '../../base/shapes.ts';
import type {Container} from '../../docker/container.ts';
import type {Engine} from '../../docker/engine.ts';
import type {Self} from '../../docker/self.ts';
import {staging} from '../../docker/worker.ts';
import {assertClientFits} from '../sources/postgres/external.ts';
import {externalOf, insideOf} from '../sources/postgres/plan-external.ts';
import {reachServer} from '../sources/postgres/reach.ts';
import {type Databases, listDatabases} from '../sources/postgres/server.ts';
import {discoverTargets} from '../targets/discovery.ts';
import type {Target} from '../targets/target.ts';
import {planTarget} from './plan.ts';
import type {Surveyed} from './planned.ts';
import {findUnprotected} from './unprotected.ts';

export interface Survey {
	/** Compose projects that the agent looks at; empty: all. */
	readonly projects: readonly string[];
	/** The containers that the agent looks at: those of its projects, or all. */
	containers: () => Promise<Container[]>;
	/** When what is to be done with each target is due; from its labels alone, so that it can be asked at every change. */
	due: () => Promise<Array<Omit<ScheduleEntry, 'since'>>>;
	/** Every target, from its labels alone: no server is asked. */
	targets: () => Promise<Target[]>;
	/** Every target, sorted by name. What servers said of their databases may be a few seconds old, unless more is allowed. */
	all: (maximumAgeMs?: number) => Promise<Surveyed[]>;
	/** Volumes and bind mounts that no target backs up. */
	unprotected: (surveyed: readonly Surveyed[]) => Promise<Unprotected[]>;
	/** As it is now. @param cold for a backup during which it is stopped @throws {NotFoundError} */
	one: (name: string, cold?: boolean) => Promise<Surveyed>;
	/** The target of that name, or all targets of the project of that name; from labels alone. @throws {NotFoundError} */
	named: (name: string) => Promise<{targets: readonly [Target, ...Target[]]; isProject: boolean}>;
}

export interface SurveyOptions {
	engine: Engine;
	/** The agent's own container is never quiesced, and its storage never a source. */
	self: Self;
	/** Where the engine keeps its own data. */
	dataRoot: string;
	prefix: string;
	/** Compose projects that the agent looks at; empty: all. */
	projects: readonly string[];
	schedule: string;
	/** How long a dump waits for a lock. */
	lockTimeoutMs: number;
	/** Names of the configured ones. */
	copies: readonly string[];
}

/** Asking servers for their databases takes a few processes each. */
const serversAtOnce = 4;
/** When a target is rehearsed whose label does not say it: `@weekly`. */
const weekly = '0 0 * * 0';
const answersKeptMs = 10_000;

/** What a server said. */
interface Answer {
	at: number;
	databases: Databases;
	/** Of a server in its container. */
	dataDirectory?: readonly string[];
}

export function createSurvey({engine, self, dataRoot, prefix, projects, schedule, lockTimeoutMs, copies}: SurveyOptions): Survey {
	// A target's files are mounted in a worker under the target's name, beside the agent's own mounts.
	const reserved = [staging, ...self.mounts.map(({path}) => path)].map(path => path.split('/')[1] ?? '');
	const servers = new PQueue({concurrency: serversAtOnce});
	const answers = new Map<string, Answer>();

	const look = async (target: Target, containers: readonly Container[], maximumAgeMs: number, cold = false): Promise<Surveyed> => {
		const {databases, closedDatabases, dataDirectories, problems: unreachable} = await askServers(target, maximumAgeMs);
		const {plan, problems} = planTarget({
			target,
			containers,
			databases,
			closedDatabases,
			dataDirectories,
			defaults: {schedule, lockTimeoutMs},
			cold,
			prefix,
			self: self.containerId,
			dataRoot,
		});
		const unknown = copyProblems(target.policy.copies, {subject: target.name, label: `${prefix}copies`, copies});
		return {target, plan, problems: [...target.problems, ...problems, ...unknown, ...unreachable], dataDirectories};
	};

	const ask = async ({policy, container}: Target['members'][number], maximumAgeMs: number): Promise<Answer> => {
		const kept = answers.get(container.id);
		if (kept !== undefined && Date.now() - kept.at < maximumAgeMs) {
			return kept;
		}

		const external = externalOf(policy.postgres, container);
		const inside = policy.postgres && insideOf(policy.postgres, container);
		const server = await reachServer({engine}, {container, user: policy.postgres?.user, external, inside});
		await assertClientFits(server);
		const answer: Answer = {
			at: Date.now(),
			databases: await listDatabases(server),
			...(server.isExternal ? {} : {dataDirectory: await server.folders()}),
		};
		answers.set(container.id, answer);
		return answer;
	};

	const askServers = async (target: Target, maximumAgeMs: number) => {
		const databases = new Map<string, string[]>();
		const closedDatabases = new Map<string, string[]>();
		const dataDirectories = new Map<string, readonly string[]>();
		const problems: Problem[] = [];
		await Promise.all(
			target.members
				.filter(
					({policy: {postgres}, container}) => postgres !== undefined && (postgres.host !== undefined || container.state === 'running'),
				)
				.map(async member =>
					servers.add(async () => {
						try {
							const {id} = member.container;
							const answer = await ask(member, maximumAgeMs);
							databases.set(id, answer.databases.open);
							closedDatabases.set(id, answer.databases.closed);
							if (answer.dataDirectory !== undefined) {
								dataDirectories.set(id, answer.dataDirectory);
							}
						} catch (error) {
							problems.push({message: `the databases of \`${target.name}\` cannot be listed: ${explain(error)}`});
						}
					}),
				),
		);
		return {databases, closedDatabases, dataDirectories, problems};
	};

	const discover = async () => {
		const containers = await engine.list();
		return {containers, targets: discoverTargets(containers, {prefix, projects, reserved})};
	};

	const inScope = (containers: readonly Container[]) =>
		containers.filter(({project}) => projects.length === 0 || (project !== undefined && projects.includes(project)));

	return {
		projects,
		containers: async () => inScope(await engine.list()),
		async unprotected(surveyed) {
			const all = await engine.list();
			return findUnprotected(inScope(all), surveyed, {dataRoot, self: all.find(({id}) => id === self.containerId), prefix});
		},
		async due() {
			const {targets} = await discover();
			return targets.flatMap(({name: subject, policy, members}) => [
				{operation: 'backup' as const, subject, line: policy.schedule ?? schedule},
				...(policy.drill === 'false' || (policy.drill === undefined && lacksImage(members))
					? []
					: [{operation: 'drill' as const, subject, line: policy.drill ?? weekly}]),
				...(policy.scheduleCold === undefined
					? []
					: [{operation: 'backup' as const, subject, cold: true as const, line: policy.scheduleCold}]),
			]);
		},
		targets: async () => (await discover()).targets,
		async all(maximumAgeMs = answersKeptMs) {
			const {containers, targets} = await discover();
			const present = new Set(containers.map(({id}) => id));
			for (const id of answers.keys()) {
				if (!present.has(id)) {
					answers.delete(id);
				}
			}

			return Promise.all(targets.map(async target => look(target, containers, maximumAgeMs)));
		},
		async named(name) {
			const {targets} = await discover();
			const one = targets.find(target => target.name === name);
			const [first, ...others] = one === undefined ? targets.filter(({project}) => project === name) : [one];
			if (first === undefined) {
				throw noSuch(name);
			}

			return {targets: [first, ...others], isProject: one === undefined};
		},
		async one(name, cold) {
			const {containers, targets} = await discover();
			const target = targets.find(candidate => candidate.name === name);
			if (target === undefined) {
				throw noSuch(name);
			}

			return look(target, containers, 0, cold);
		},
	};
}

/** A server elsewhere says nothing of what a rehearsal's own could be made of: without the label that does, none is due. */
const lacksImage = (members: Target['members']): boolean =>
	members.some(({policy: {postgres, drillImage}}) => postgres?.host !== undefined && drillImage === undefined);

const noSuch = (name: string): NotFoundError =>
	new NotFoundError(`there is no target \`${name}\``, {
		hint: `holdfast targets lists them; a target is a service with the label ${label('enable')}=true`,
	});

/** Labels that name what is not configured: what they ask for cannot be done. */
export function copyProblems(
	wanted: readonly string[] | undefined,
	{subject, label, copies}: {subject: string; label: string; copies: readonly string[]},
): Problem[] {
	return (wanted ?? [])
		.filter(name => !copies.includes(name))
		.map(name => {
			const meant = copies.length === 0 ? undefined : nearest(name, copies);
			const known =
				copies.length === 0
					? 'no copy is configured: docs/copies.md says how'
					: `there are ${copies.map(copy => `\`${copy}\``).join(', ')}`;
			return {
				message: `\`${subject}\`: \`${label}\` must be names of configured copies or \`none\`, got "${name}"`,
				hint: meant === undefined ? known : `did you mean \`${meant}\`?`,
			};
		});
}
