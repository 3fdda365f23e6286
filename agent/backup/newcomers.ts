/** Who begins to write while the target stands still: a replica of `docker compose up --scale`, a job, what a program that updates containers has made. */
import {RunError} from '../../base/errors.ts';
import {type Container, isUp, lastingName, type Mount, workerLabel} from '../../docker/container.ts';
import type {Engine} from '../../docker/engine.ts';
import {describeStorage, shownIn} from '../../docker/storage.ts';
import type {Plan} from '../plan/planned.ts';
import {kindOf} from '../sources/kinds.ts';

/**
 * Asked before anybody is quiesced, of what is read as files.
 * @returns what is asked when all is read: it throws {RunError} where somebody came to it meanwhile
 */
export async function watchNewcomers(
	engine: Pick<Engine, 'list'>,
	{sources, quiesce, resting}: Pick<Plan, 'sources' | 'quiesce' | 'resting'>,
): Promise<() => Promise<void>> {
	const mounts = sources.flatMap(source => (kindOf(source.kind).stillness(source) === 'needed' ? (source.mount ?? []) : []));
	if (mounts.length === 0 || quiesce.length === 0) {
		return async () => {};
	}

	// Those of the window are looked at one by one: by who has quiesced them.
	const own = [...quiesce, ...resting].map(({container}) => lastingName(container));
	const known = new Set([...own, ...(await engine.list()).filter(isUp).map(lastingName)]);
	return async () => {
		for (const other of await engine.list()) {
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

/** What shows more than the mount is for looking after others, as a rule. */
const isWritten = (mount: Mount, {mounts}: Container): boolean =>
	mounts.some(theirs => theirs.readWrite && shownIn(mount, theirs, theirs.path) !== undefined);
