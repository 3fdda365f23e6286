/**
 * Who begins to write while the target stands still: a replica of `docker compose up --scale`, a job, what a program that updates containers has made;
 * or another agent of this engine, which restores what is read. Restores of one's own have had their turn.
 */
import {RunError} from '../../base/errors.ts';
import {type Container, isUp, isWrittenBy, lastingName, type Mount, workerLabel} from '../../docker/container.ts';
import type {Engine} from '../../docker/engine.ts';
import {describeStorage, sharesStorage, shownIn} from '../../docker/storage.ts';
import type {Plan} from '../plan/planned.ts';
import {kindOf} from '../sources/kinds.ts';

/**
 * Asked before anybody is quiesced, of what is read as files.
 * @returns what is asked when all is read: it throws {RunError} where somebody came to it meanwhile
 * @throws {RunError} where another agent restores it just now
 */
export async function watchNewcomers(
	engine: Pick<Engine, 'list'>,
	{sources, quiesce, resting}: Pick<Plan, 'sources' | 'quiesce' | 'resting'>,
): Promise<() => Promise<void>> {
	const mounts = sources.flatMap(source => (kindOf(source.kind).stillness(source) === 'needed' ? (source.mount ?? []) : []));
	if (mounts.length === 0) {
		return async () => {};
	}

	const before = await engine.list();
	assertUnrestored(mounts, before);
	// Those of the window are looked at one by one: by who has quiesced them.
	const own = [...quiesce, ...resting].map(({container}) => lastingName(container));
	const known = new Set([...own, ...before.filter(isUp).map(lastingName)]);
	return async () => {
		const now = await engine.list();
		assertUnrestored(mounts, now);
		for (const other of quiesce.length === 0 ? [] : now) {
			const mount = known.has(lastingName(other)) || !isUp(other) ? undefined : mounts.find(each => isWritten(each, other));
			if (mount !== undefined && other.labels[workerLabel] === undefined) {
				throw new RunError(
					`container \`${other.name}\`, which writes to the ${describeStorage(mount)}, was started while the target was quiesced, so its files were not at rest`,
					{
						hint: '`docker compose up --scale`, a job, or a program that updates containers such as Watchtower did it: keep their hours and those of the backup apart',
					},
				);
			}
		}
	};
}

/** Files of before it and after it would be of no moment. */
function assertUnrestored(mounts: readonly Mount[], containers: readonly Container[]): void {
	for (const worker of containers.filter(isUp)) {
		const written = worker.mounts.filter(theirs => isWrittenBy(worker, theirs));
		const mount = mounts.find(each => written.some(theirs => sharesStorage(theirs, each)));
		if (mount !== undefined) {
			throw new RunError(
				`another agent of this engine restores the ${describeStorage(mount)} (its run ${worker.labels[workerLabel]}, container \`${worker.name}\`), so its files are not at rest`,
				{hint: 'back up again when that is over: `holdfast runs` of that agent tells'},
			);
		}
	}
}

/** What shows more than the mount is for looking after others, as a rule. */
const isWritten = (mount: Mount, {mounts}: Container): boolean =>
	mounts.some(theirs => theirs.readWrite && shownIn(mount, theirs, theirs.path) !== undefined);
