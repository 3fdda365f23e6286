/**
 * Agents of one engine: the sidecar may be copied into each Compose file. Each target is served by one of them by itself; the others know it,
 * and leave its schedule alone.
 */
import {defaultPrefix} from '../../base/label.ts';
import {isOneOff} from '../../docker/compose.ts';
import {type Container, isUp, knownName, type Mount, workerLabel} from '../../docker/container.ts';
import type {ContainerDetails} from '../../docker/details.ts';
import type {Engine} from '../../docker/engine.ts';
import {isSameStorage} from '../../docker/storage.ts';

export interface EngineAgent {
	/** Of its container. */
	id: string;
	name: string;
	/** The Compose project that its own container belongs to. */
	project: string | undefined;
	/** `HOLDFAST_PROJECTS`; empty: all, and containers outside Compose. */
	projects: readonly string[];
	isRunning: boolean;
	/** It has the very state of this one, and waits for its end: it serves nobody, whatever its name is. */
	isWaiting?: boolean | undefined;
}

const covers = ({projects, isWaiting}: EngineAgent, project: string | undefined): boolean =>
	isWaiting !== true && (projects.length === 0 || (project !== undefined && projects.includes(project)));

/**
 * Pure: the agent of the container's own project; else one that names the project; else any that looks after everything. Of several the first by
 * name: a name outlives the container.
 */
export function serverOf(project: string | undefined, agents: readonly EngineAgent[]): EngineAgent | undefined {
	const rank = (agent: EngineAgent) => (project !== undefined && agent.project === project ? 0 : agent.projects.length > 0 ? 1 : 2);
	const [first] = agents
		.filter(agent => covers(agent, project))
		.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : Number(a.name > b.name)));
	return first;
}

/** One that was seen running is counted this long after it ended: it may be updated, and its targets must not change hands meanwhile. */
const rememberedMs = 15 * 60_000;

/** As the image says it; a container inherits the labels of its image. */
const imageTitle = 'org.opencontainers.image.title';

type Looked = Pick<EngineAgent, 'projects'> & {state: Mount | undefined};

interface Own {
	containerId: string | undefined;
	/** Where every agent has its state. */
	stateDirectory: string;
	/** Of labels. */
	prefix: string;
}

/** Gives the other agents that look at containers which this one looks at, too, of a fresh list. */
export function createAgentFinder(engine: Pick<Engine, 'inspect'>, {containerId, stateDirectory, prefix}: Own, now = Date.now) {
	/** By container; undefined: it is no agent, or one for other labels. */
	const known = new Map<string, Promise<Looked | undefined>>();
	const seen = new Map<string, {agent: EngineAgent; at: number}>();
	const stateOf = ({mounts}: Pick<ContainerDetails, 'mounts'>) => mounts.find(({path}) => path === stateDirectory);

	const look = async (id: string) => {
		const details = await engine.inspect(id).catch(() => undefined);
		const agent = details && agentIn(details, prefix);
		return details && agent && {...agent, state: stateOf(details)};
	};

	/** Stays as it is for the life of this agent. */
	let own: Promise<Mount | undefined> | undefined;
	const ownState = async () => {
		own ??= containerId === undefined ? Promise.resolve(undefined) : engine.inspect(containerId).then(stateOf);
		return own.catch(() => {
			own = undefined;
			return undefined;
		});
	};

	return async (containers: readonly Container[]): Promise<EngineAgent[]> => {
		const candidates = containers.filter(
			({id, labels}) => id !== containerId && labels[imageTitle] === 'Holdfast' && labels[workerLabel] === undefined && !isOneOff(labels),
		);
		const waiting: EngineAgent[] = [];
		for (const container of candidates) {
			const found = known.get(container.id) ?? look(container.id);
			known.set(container.id, found);
			const looked = await found;
			if (looked !== undefined && isUp(container)) {
				const {state, projects} = looked;
				const {id, project} = container;
				const agent = {id, name: knownName(container), project, projects, isRunning: true};
				const mine = state && (await ownState());
				if (state !== undefined && mine !== undefined && isSameStorage(mine, state)) {
					waiting.push({...agent, isWaiting: true});
				} else {
					seen.set(agent.name, {agent, at: now()});
				}
			}
		}

		for (const id of known.keys()) {
			if (!containers.some(container => container.id === id)) {
				known.delete(id);
			}
		}

		const others = [...seen.values()]
			.filter(({at}) => now() - at < rememberedMs)
			.map(({agent}) => ({...agent, isRunning: containers.some(container => container.id === agent.id && isUp(container))}));
		return [...others, ...waiting];
	};
}

/** What holds an engine's socket, or is told where one is, works as an agent. */
function agentIn({env, mounts}: Pick<ContainerDetails, 'env' | 'mounts'>, prefix: string): Pick<EngineAgent, 'projects'> | undefined {
	const hasEngine = env.DOCKER_HOST !== undefined || mounts.some(({path}) => path.endsWith('.sock'));
	const projects = (env.HOLDFAST_PROJECTS ?? '')
		.split(',')
		.map(text => text.trim())
		.filter(Boolean);
	return hasEngine && (env.HOLDFAST_LABEL_PREFIX ?? defaultPrefix) === prefix ? {projects} : undefined;
}
