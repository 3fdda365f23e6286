/** The SQLite databases of a member. */
import {quote} from '../../../base/reading/quote.ts';
import type {Mount} from '../../../docker/container.ts';
import {describeMounts, mountOf} from '../../../docker/storage.ts';
import type {Asked, Scope} from '../kind.ts';
import {type Claim, objectionTo} from '../objections.ts';
import type {PlannedSource} from '../source.ts';

/** `mount` holds the file; `path` is in the container. */
export interface PlannedFile extends PlannedSource {
	kind: 'sqlite';
	path: string;
	mount: Mount;
	/** How long its application may have it for itself alone. */
	lockTimeoutMs?: number | undefined;
}

export function sqliteSources({
	container,
	policy,
	group,
	grounds,
	prefix,
	lockTimeoutMs,
	remarks,
}: Scope<readonly string[]>): PlannedFile[] {
	return policy.flatMap((path): PlannedFile[] => {
		const mount = mountOf(path, container);
		const label = `\`${prefix}sqlite\``;
		if (mount === undefined) {
			remarks.problem(`${label} must name files in a mount, and ${quote(path)} is outside every mount: ${describeMounts(container)}`);
			return [];
		}

		if (mount.path === path) {
			remarks.problem(
				`${label} must name files in a mounted folder, and ${quote(path)} is mounted by itself, so its \`-wal\` is elsewhere and would be lost`,
				'mount the folder that the database is in',
			);
			return [];
		}

		const objection = objectionTo(mount, grounds);
		if (objection !== undefined && objection.kind !== 'passed over') {
			remarks.problem(`${label} must not reach into the mount ${quote(mount.path)}: it ${objection.why}, got ${quote(path)}`);
			return [];
		}

		return [
			{name: `${group}sqlite:${path}`, container, kind: 'sqlite', path, mount, ...(lockTimeoutMs === undefined ? {} : {lockTimeoutMs})},
		];
	});
}

/** The database and what SQLite keeps beside it. */
const filesOf = (path: string): string[] => ['', '-wal', '-shm', '-journal'].map(ending => path + ending);

/** No volume takes them, whichever shows them. */
export const claimedFiles = ({container, policy}: Asked<readonly string[]>): Claim[] =>
	policy.flatMap(file => {
		const mount = mountOf(file, container);
		return mount === undefined || mount.path === file
			? []
			: filesOf(file).map(path => ({mount, path, why: 'is backed up as a SQLite database', isTold: false}));
	});
