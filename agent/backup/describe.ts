/** What a manifest says of a run and of each of its sources. */

import type {Manifest, ManifestSource} from '../repository/manifest.ts';
import {sourcePath} from '../repository/names.ts';
import type {Workshop} from '../runs/workshop.ts';
import type {PlannedSource, Stored} from '../sources/source.ts';

interface Made extends Pick<Manifest, 'run' | 'target' | 'quiesced' | 'quiesceSeconds' | 'sources' | 'swarm' | 'absent' | 'origin'> {
	startedAt: Date;
	/** The moment that the point shows. */
	time: Date;
}

export const describePoint = ({host, agentId: agent, versions}: Workshop, {startedAt, time, ...made}: Made): Manifest => ({
	schema: 1,
	...made,
	time: time.toISOString(),
	startedAt: startedAt.toISOString(),
	host,
	agent,
	engineVersion: versions.engine,
	holdfastVersion: versions.holdfast,
	resticVersion: versions.restic,
});

/** @param durationSeconds of the storing */
export function describeSource(
	target: string,
	{name, kind, container: {name: container, image, imageId, labels}}: PlannedSource,
	stored: Stored,
	durationSeconds: number,
): ManifestSource {
	return {
		...stored,
		durationSeconds,
		source: name,
		kind,
		path: sourcePath(target, name),
		container: {name: container, image, imageId, labels},
	};
}
