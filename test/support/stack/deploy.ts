/** Stacks of Docker Swarm, as `docker stack deploy` has them. */
import {stringify} from 'yaml';
import {docker} from '../docker.ts';
import type {Service} from '../stack.ts';

/** @param host a manager's engine */
export async function deployStack(
	{host}: {host: string},
	name: string,
	stack: {services: Record<string, Service>; volumes?: Record<string, object>; networks?: Record<string, object>},
): Promise<void> {
	await docker(['stack', 'deploy', '--resolve-image=never', '--compose-file', '-', name], {
		host,
		input: stringify({version: '3.8', ...stack}),
		timeout: 300_000,
	});
}

/** A service that does nothing, and is backed up. @param more beside that, or instead of it */
export const idleTask = (image: string, more: Service): Service => ({
	image,
	init: true,
	stop_grace_period: '1s',
	command: ['sleep', 'infinity'],
	labels: {'holdfast.enable': 'true'},
	...more,
});

/** In Swarm the network of the host, by its name in a stack. */
export const hostNetwork = {host: {external: true, name: 'host'}};
