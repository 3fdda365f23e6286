/** A container as the engine's list makes it, of which only what a test is about need be said. */
import type {Container} from '../../../docker/container.ts';

export const runningContainer = (id: string, rest: Partial<Container> = {}): Container => ({
	id,
	name: id,
	image: 'image',
	imageId: 'sha256:1',
	state: 'running',
	createdAt: 0,
	dependsOn: [],
	labels: {},
	mounts: [],
	...rest,
});
