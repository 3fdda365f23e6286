/** An application that does nothing, and has data. */
import {ensureImage} from '../images.ts';
import type {Service} from '../stack.ts';

/** With the volume `data`. @param labels beside the one that enables it */
export const idleApp = async (labels: Record<string, string> = {}): Promise<Service> => ({
	image: await ensureImage('holdfast-test/app:latest'),
	init: true,
	entrypoint: ['sleep', 'infinity'],
	volumes: ['data:/data'],
	labels: {'holdfast.enable': 'true', ...labels},
});
