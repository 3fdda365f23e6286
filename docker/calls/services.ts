/** Services of Docker Swarm, of which only managers know. */
import type Dockerode from 'dockerode';
import {type Scaled, type SwarmService, type SwarmTaskState, scaledLabel, scaledOf, scaledText} from '../stack.ts';
import {apart, type Client, limited} from './client.ts';

export interface Services {
	/** Undefined where there is none. @throws with status 503 where this node is no manager */
	service: (id: string) => Promise<SwarmService | undefined>;
	/** All that there are. @throws with status 503 where this node is no manager */
	services: () => Promise<SwarmService[]>;
	/** How many tasks it is to have. @param why is written on it, where it is to be scaled up again; else what was written is removed */
	scale: (service: string, replicas: number, why?: Scaled) => Promise<void>;
	/** Its tasks, those that are over among them. */
	tasks: (service: string) => Promise<SwarmTaskState[]>;
}

export function services({docker}: Client): Services {
	// `status`: how many run (20.10 and later).
	const found = async (filters: Record<string, string[]> = {}): Promise<SwarmService[]> =>
		(await docker.listServices({filters, status: true, ...limited()} as Dockerode.ServiceListOptions)).map(serviceFromList);

	return {
		service: async id => (await found({id: [id]}))[0],
		services: async () => found(),
		async scale(id, replicas, why) {
			const service = docker.getService(id);
			const {Version: version, Spec: spec} = (await service.inspect(limited())) as {Version: {Index: number}; Spec: Dockerode.ServiceSpec};
			await service.update(apart({version: version.Index}, {...spec, ...labelsOf(spec, why), Mode: {Replicated: {Replicas: replicas}}}));
		},
		async tasks(service) {
			const tasks = (await docker.listTasks({filters: {service: [service]}, ...limited()} as object)) as Array<{
				Status?: {State?: string; Timestamp?: string; ContainerStatus?: {ContainerID?: string}};
			}>;
			return tasks.map(({Status: status}) => ({
				state: status?.State ?? '',
				since: Date.parse(status?.Timestamp ?? ''),
				container: status?.ContainerStatus?.ContainerID,
			}));
		},
	};
}

/** Those that it has, with why it is scaled or without; none where it has none. */
function labelsOf({Labels: labels}: Dockerode.ServiceSpec, why: Scaled | undefined): {Labels?: Record<string, string>} {
	if (!labels && why === undefined) {
		return {};
	}

	const {[scaledLabel]: _, ...others} = labels ?? {};
	return {Labels: why === undefined ? others : {...others, [scaledLabel]: scaledText(why)}};
}

function serviceFromList({ID: id, Spec: spec, ServiceStatus: status}: Dockerode.Service): SwarmService {
	const replicated = spec?.Mode?.Replicated;
	const {[scaledLabel]: _, ...labels} = spec?.Labels ?? {};
	return {
		id,
		name: spec?.Name ?? id,
		mode: replicated === undefined ? 'global' : 'replicated',
		replicas: replicated?.Replicas ?? 0,
		running: Number(status?.RunningTasks ?? 0),
		labels,
		scaled: scaledOf(spec?.Labels ?? {}),
		taskLabels: (spec?.TaskTemplate as {ContainerSpec?: {Labels?: Record<string, string>}} | undefined)?.ContainerSpec?.Labels ?? {},
	};
}
