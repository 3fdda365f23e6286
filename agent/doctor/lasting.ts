/** Whether the repository outlives what people do to a Compose project. Pure. */
import type {Finding} from '../../base/shapes/targets.ts';
import type {Self} from '../../docker/self.ts';
import {isInside} from '../../docker/storage.ts';
import type {Volume} from '../../docker/volumes.ts';

interface Examined {
	/** Of the repository, in the agent's container; undefined: it is elsewhere. */
	folder: string | undefined;
	/** There are points in another repository, too. */
	hasCopies: boolean;
	self: Pick<Self, 'containerId' | 'mounts'>;
	volumes: ReadonlyArray<Pick<Volume, 'name' | 'labels'>>;
}

const anonymous = 'com.docker.volume.anonymous';

/** A volume that Compose made goes with `down --volumes`; one without a name with the container. */
export function examineLasting({folder, hasCopies, self, volumes}: Examined): Finding[] {
	if (folder === undefined || hasCopies || self.containerId === undefined) {
		return [];
	}

	const [mount] = self.mounts.filter(({path}) => isInside(folder, path)).sort((a, b) => b.path.length - a.path.length);
	const labels = mount?.type === 'volume' ? volumes.find(({name}) => name === mount.volume)?.labels : {};
	const project = labels?.['com.docker.compose.project'];
	const why =
		mount === undefined
			? 'is in no volume and no folder of the host: it goes with the container of Holdfast'
			: labels !== undefined && anonymous in labels
				? 'is in a volume without a name: it goes with the container of Holdfast'
				: project === undefined
					? undefined
					: `is in a volume of the project \`${project}\`: \`docker compose down --volumes\` there removes it, together with the data`;
	return why === undefined
		? []
		: [
				{
					level: project === undefined ? 'error' : 'warning',
					subject: 'volume',
					message: `the repository ${why}`,
					hint: 'use a volume that is `external: true`, or a folder of the host (./backups:/repository); or have a copy elsewhere (docs/copies.md)',
				},
			];
}
