/** The table of sources. */
import type {PlannedSource} from './kind.ts';
import {postgresSource} from './postgres/dump.ts';
import type {Source, SourceContext} from './source.ts';
import {sqliteSource} from './sqlite/backup.ts';
import {tarSource} from './tar/backup.ts';
import {volumeSource} from './volume/backup.ts';

/** @param all the run's sources: a volume leaves out what is mounted inside it */
export function createSource(planned: PlannedSource, context: SourceContext, index: number, all: readonly PlannedSource[]): Source {
	switch (planned.kind) {
		case 'postgres':
			return postgresSource(planned, context, index);
		case 'sqlite':
			return sqliteSource(planned, context, index);
		case 'volume':
			return volumeSource(planned, context, nestedMounts(planned, all));
		case 'tar':
			return tarSource(planned, context, index);
	}
}

function nestedMounts({container, mount}: PlannedSource & {kind: 'volume'}, all: readonly PlannedSource[]): string[] {
	const mounts = all.flatMap(other => (other.container.id === container.id && 'mount' in other ? [other.mount.path] : []));
	return [...new Set(mounts)].filter(path => path.startsWith(`${mount.path}/`));
}
