/** Containers: which there are, and what is done with one. What the engine answers for "is already so" (304) is no error. */
import type Dockerode from 'dockerode';
import {type Container, containerFromList} from '../container.ts';
import {type ContainerDetails, detailsOf} from '../details.ts';
import {createInspections, readInspection} from '../inspection.ts';
import {explainPause, unless} from '../refusal.ts';
import {currentTasks} from '../tasks.ts';
import {apart, type Client, callDeadlineMs, limited, removing} from './client.ts';
import type {Services} from './services.ts';
import type {Volumes} from './volumes.ts';

/** Node's timers take no more, and end at once beyond it: a grace period may be of months. */
const longestTimerMs = 2 ** 31 - 1;

export type CreateOptions = Dockerode.ContainerCreateOptions;

export type MountSettings = Dockerode.MountSettings;

export interface Containers {
	list: () => Promise<Container[]>;
	inspect: (id: string) => Promise<ContainerDetails>;
	pause: (id: string) => Promise<void>;
	unpause: (id: string) => Promise<void>;
	start: (id: string) => Promise<void>;
	/** SIGTERM (or the image's stop signal), after `timeoutSeconds` SIGKILL. */
	stop: (id: string, timeoutSeconds: number) => Promise<void>;
	/** Its processes, as the engine's host sees them: for a container without programs of its own. */
	top: (id: string) => Promise<Array<{uid: string; gid: string; argv: readonly string[]}>>;
	create: (name: string, options: CreateOptions) => Promise<string>;
	/** To a network. */
	connect: (network: string, id: string) => Promise<void>;
	/** Kills it when it runs. No error when it is gone. */
	remove: (id: string) => Promise<void>;
}

/** @param others says what the list of containers leaves out */
export function containers({docker}: Client, others: Pick<Services, 'services'> & Pick<Volumes, 'volumes'>): Containers {
	const listed = async () => (await docker.listContainers({all: true, ...limited()})).map(entry => containerFromList(entry));
	const inspected = createInspections({
		ask: async id => readInspection((await docker.getContainer(id).inspect(limited())).HostConfig),
		volumes: others.volumes,
	});

	return {
		async list() {
			const found = await listed();
			if (!found.some(({swarm}) => swarm !== undefined)) {
				return inspected(found);
			}

			// A node that is no manager is not told. Asked before, so that what runs by then is in the list.
			const known = await others.services().catch(() => undefined);
			return inspected(currentTasks(known === undefined ? found : await listed(), known));
		},
		inspect: async id => detailsOf(await docker.getContainer(id).inspect(limited())),
		async pause(id) {
			await docker
				.getContainer(id)
				.pause(limited())
				.catch((error: unknown) => {
					throw explainPause(error);
				});
		},
		async unpause(id) {
			await docker.getContainer(id).unpause(limited());
		},
		start: async id => unless(304, docker.getContainer(id).start(limited())),
		async stop(id, timeoutSeconds) {
			const deadlineMs = Math.min(callDeadlineMs + timeoutSeconds * 1000, longestTimerMs);
			await unless(304, docker.getContainer(id).stop({t: timeoutSeconds, ...limited(deadlineMs)}));
		},
		async top(id) {
			const {Processes: processes} = (await docker.getContainer(id).top({ps_args: '-eo pid,uid,gid,args', ...limited()})) as {
				Processes: string[][];
			};
			return processes.map(([, uid = '', gid = '', line = '']) => ({uid, gid, argv: line.split(' ')}));
		},
		create: async (name, options) => (await docker.createContainer(apart({name}, options))).id,
		async connect(network, id) {
			await docker.getNetwork(network).connect({Container: id, ...limited()});
		},
		remove: async id => unless(404, docker.getContainer(id).remove({force: true, v: true, ...removing()})),
	};
}
