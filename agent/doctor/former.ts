/** Compose names volumes by their project: in a folder, or with a name, that is another one than before, an agent begins with an empty repository and says nothing. Pure. */
import type {Finding} from '../../base/shapes/targets.ts';
import type {Container} from '../../docker/container.ts';
import type {Self} from '../../docker/self.ts';
import type {Volume} from '../../docker/volumes.ts';

interface Examined {
	/** Nothing was ever backed up by it. */
	isNew: boolean;
	self: Pick<Self, 'mounts'>;
	volumes: readonly Volume[];
	/** All of the engine. */
	containers: ReadonlyArray<Pick<Container, 'project' | 'mounts'>>;
}

const [projectLabel, volumeLabel] = ['com.docker.compose.project', 'com.docker.compose.volume'];

/** Who tries a stack out, and removes it again without its volumes, is not told of each time. */
const olderMs = 3_600_000;

/** A project that is no more, and left volumes of the same names as this agent's own. */
export function examineFormer({isNew, self, volumes, containers}: Examined): Finding[] {
	const named = new Map(volumes.map(volume => [volume.name, volume]));
	const own = self.mounts.flatMap(({type, volume}) => (type === 'volume' ? (named.get(volume ?? '') ?? []) : [])).filter(isOfProject);
	if (!isNew || own.length === 0) {
		return [];
	}

	const used = new Set(containers.flatMap(({mounts}) => mounts.map(({volume}) => volume)));
	const present = new Set(containers.map(({project}) => project));
	const left = volumes.filter(volume => isOfProject(volume) && !used.has(volume.name) && !present.has(volume.labels[projectLabel]));
	const twinOf = ({labels, createdAt}: Volume, among: readonly Volume[]) =>
		among.find(
			other =>
				other.labels[volumeLabel] === labels[volumeLabel] &&
				createdAt !== undefined &&
				other.createdAt !== undefined &&
				createdAt - other.createdAt >= olderMs,
		);
	return [...Map.groupBy(left, ({labels}) => labels[projectLabel] ?? '')].flatMap(([project, theirs]): Finding[] => {
		const twins = own.flatMap(volume => twinOf(volume, theirs) ?? []);
		return twins.length === own.length ? [findingOf(project, own, twins)] : [];
	});
}

const isOfProject = ({labels}: Volume): boolean => labels[projectLabel] !== undefined && labels[volumeLabel] !== undefined;

function findingOf(project: string, own: readonly Volume[], twins: readonly Volume[]): Finding {
	const now = own[0]?.labels[projectLabel] ?? '';
	return {
		level: 'warning',
		subject: 'volume',
		message: `nothing was backed up by this agent yet, and a project \`${project}\` that has no container any more left volumes of the same names (${twins.map(({name}) => `\`${name}\``).join(', ')}): if \`${now}\` was called so before, its restore points, and its data, are in the volumes of \`${project}\``,
		hint: `give it its name back (\`name: ${project}\` in the Compose file), or name the old volumes there (\`external: true\`); if it is something else, nothing is to be done: this is not said any more once a backup has succeeded`,
	};
}
