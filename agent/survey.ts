/** What is there now: targets by label, what a run of each would do, and what is wrong with them. */
import PQueue from 'p-queue';
import type {Container} from '../docker/container.ts';
import {discoverTargets, type Target} from '../docker/discovery.ts';
import type {Engine} from '../docker/engine.ts';
import type {Problem} from '../docker/labels.ts';
import type {Self} from '../docker/self.ts';
import {staging} from '../docker/worker.ts';
import {explain, NotFoundError} from './errors.ts';
import {type Plan, planTarget} from './plan.ts';
import {connectPostgres, dataDirectory, listDatabases} from './sources/postgres-server.ts';

export interface Surveyed {
	target: Target;
	/** What a run would do; with problems it is not run. */
	plan: Plan;
	problems: readonly Problem[];
}

export interface Survey {
	/** The containers that the agent looks at: those of its projects, or all. */
	containers: () => Promise<Container[]>;
	/** Every target, sorted by name. */
	all: () => Promise<Surveyed[]>;
	/** @throws {NotFoundError} */
	one: (name: string) => Promise<Surveyed>;
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
}

/** Asking servers for their databases takes a process each. */
const serversAtOnce = 4;

export function createSurvey({engine, self, dataRoot, prefix, projects, schedule}: SurveyOptions): Survey {
	// A target's files are mounted in a worker under the target's name, beside the agent's own mounts.
	const reserved = [staging, ...self.mounts.map(({path}) => path)].map(path => path.split('/')[1] ?? '');
	const servers = new PQueue({concurrency: serversAtOnce});

	const look = async (target: Target, containers: readonly Container[]): Promise<Surveyed> => {
		const {databases, dataDirectories, problems: unreachable} = await askServers(target);
		const {plan, problems} = planTarget({
			target,
			containers,
			databases,
			dataDirectories,
			defaults: {schedule},
			prefix,
			self: self.containerId,
			dataRoot,
		});
		return {target, plan, problems: [...target.problems, ...problems, ...unreachable]};
	};

	const askServers = async (target: Target) => {
		const databases = new Map<string, string[]>();
		const dataDirectories = new Map<string, string>();
		const problems: Problem[] = [];
		await Promise.all(
			target.members
				.filter(
					({policy, container}) => policy.postgres !== undefined && policy.postgres.host === undefined && container.state === 'running',
				)
				.map(async ({policy, container}) =>
					servers.add(async () => {
						try {
							const server = await connectPostgres(engine, container, policy.postgres?.user);
							databases.set(container.id, await listDatabases(server));
							dataDirectories.set(container.id, await dataDirectory(server));
						} catch (error) {
							problems.push({message: `the databases of \`${target.name}\` cannot be listed: ${explain(error)}`});
						}
					}),
				),
		);
		return {databases, dataDirectories, problems};
	};

	const discover = async () => {
		const containers = await engine.list();
		return {containers, targets: discoverTargets(containers, {prefix, projects, reserved})};
	};

	return {
		async containers() {
			const containers = await engine.list();
			return containers.filter(({project}) => projects.length === 0 || (project !== undefined && projects.includes(project)));
		},
		async all() {
			const {containers, targets} = await discover();
			return Promise.all(targets.map(async target => look(target, containers)));
		},
		async one(name) {
			const {containers, targets} = await discover();
			const target = targets.find(candidate => candidate.name === name);
			if (target === undefined) {
				throw new NotFoundError(`there is no target \`${name}\``, {
					hint: 'holdfast targets lists them; a target is a service with the label holdfast.enable=true',
				});
			}

			return look(target, containers);
		},
	};
}
