/**
 * Agents of one engine: the sidecar may be copied into each Compose file. Each target is served by one of them by itself; the others know it,
 * and leave its schedule alone.
 */
import {defaultPrefix} from '../../base/label.ts';
import {isOneOff} from '../../docker/compose.ts';
import {type Container, isUp, workerLabel} from '../../docker/container.ts';
import type {ContainerDetails} from '../../docker/details.ts';
import type {Engine} from '../../docker/engine.ts';

export interface EngineAgent {
	/** Of its container. */
	id: string;
	name: string;
	/** The Compose project that its own container belongs to. */
	project: string | undefined;
	/** `HOLDFAST_PROJECTS`; empty: all, and containers outside Compose. */
	projects: readonly string[];
	isRunning: boolean;
}

const covers = ({projects}: EngineAgent, project: string | undefined): boolean =>
	projects.length === 0 || (project !== undefined && projects.includes(project));

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

interface Own {
	containerId: string | undefined;
	/** Of labels. */
	prefix: string;
}

/** Gives the other agents that look at containers which this one looks at, too, of a fresh list. */
export function createAgentFinder(engine: Pick<Engine, 'inspect'>, {containerId, prefix}: Own, now = Date.now) {
	/** By container; undefined: it is no agent, or one for other labels. */
	const known = new Map<string, Promise<Pick<EngineAgent, 'projects'> | undefined>>();
	const seen = new Map<string, {agent: EngineAgent; at: number}>();

	const look = async (id: string) => {
		const details = await engine.inspect(id).catch(() => undefined);
		return details === undefined ? undefined : agentIn(details, prefix);
	};

	return async (containers: readonly Container[]): Promise<EngineAgent[]> => {
		const candidates = containers.filter(
			({id, labels}) => id !== containerId && labels[imageTitle] === 'Holdfast' && labels[workerLabel] === undefined && !isOneOff(labels),
		);
		for (const container of candidates) {
			const found = known.get(container.id) ?? look(container.id);
			known.set(container.id, found);
			const agent = await found;
			if (agent !== undefined && isUp(container)) {
				const {id, name, project} = container;
				seen.set(name, {agent: {id, name, project, isRunning: true, ...agent}, at: now()});
			}
		}

		for (const id of known.keys()) {
			if (!containers.some(container => container.id === id)) {
				known.delete(id);
			}
		}

		return [...seen.values()]
			.filter(({at}) => now() - at < rememberedMs)
			.map(({agent}) => ({...agent, isRunning: containers.some(container => container.id === agent.id && isUp(container))}));
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
