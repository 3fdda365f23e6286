/** The SQLite databases of a member. */
import {quote} from '../../../base/reading/quote.ts';
import {describeMounts, mountOf, shownIn} from '../../../docker/storage.ts';
import {escapePattern} from '../../restic/argv.ts';
import type {PlannedSource} from '../kind.ts';
import {objectionTo} from '../objections.ts';
import type {Scope} from '../scope.ts';
import type {SqliteSource, VolumeSource} from '../volume/plan.ts';

export function sqliteSources({member, grounds, prefix, lockTimeoutMs, remarks}: Scope): PlannedSource[] {
	const {container, policy, prefix: group} = member;
	return policy.sqlite.flatMap((path): PlannedSource[] => {
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

/** The database and what SQLite keeps beside it, as patterns: where the volume shows the same storage. */
export function filesIn(volume: VolumeSource, file: SqliteSource): string[] {
	const path = shownIn(volume.mount, file.mount, file.path);
	return path === undefined || path === '' ? [] : ['', '-wal', '-shm', '-journal'].map(ending => escapePattern(path) + ending);
}
