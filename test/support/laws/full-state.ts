/** A disk of the state that is full from one moment to the next, as when something else on it grows. */
import {ensureImage} from '../images.ts';
import type {Service, Stack, StackOptions} from '../stack.ts';

/** In memory, and small. What is there is there for as long as somebody has it. */
export const smallState = {'hf-state': {type: 'tmpfs', device: 'tmpfs', o: 'size=8m'}} satisfies StackOptions['volumeOptions'];

/** The service `disk`, which has the state beside the agent. */
export const stateDisk = async (): Promise<Record<'disk', Service>> => ({
	disk: {
		image: await ensureImage('holdfast-test/app:latest'),
		init: true,
		command: ['sleep', 'infinity'],
		stop_grace_period: '1s',
		volumes: ['hf-state:/full'],
	},
});

/** The agent stands still meanwhile: it does not get further than it was. */
export async function fillState({docker, container, exec}: Stack): Promise<void> {
	await docker(['pause', container('holdfast')]);
	try {
		await exec('disk', 'sh', '-c', 'cat /dev/zero >/full/filler || true');
	} finally {
		await docker(['unpause', container('holdfast')]);
	}
}

export const freeState = async ({exec}: Stack): Promise<unknown> => exec('disk', 'rm', '/full/filler');
