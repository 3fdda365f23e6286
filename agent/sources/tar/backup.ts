/**
 * A path on the container's own file system, as a tar. The engine reads it (it works for stopped and paused containers, and in images
 * without a tar of their own); it is copied aside during the moment and stored afterwards, so its part of the outage grows with the path's
 * size at the speed of the disk. Data that grows belongs into a volume.
 */
import {pipeline} from 'node:stream/promises';
import {lastLines, succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {room} from '../../../base/units.ts';
import {statusOf} from '../../../docker/refusal.ts';
import type {Among, Source, SourceContext} from '../source.ts';
import {storeStaged} from '../staged.ts';
import type {PlannedPath} from './plan.ts';

export function tarSource(planned: PlannedPath, context: SourceContext, {index}: Pick<Among, 'index'>): Source {
	const {name, path, container} = planned;
	const {engine, worker, staging, signal} = context;
	const file = `${staging}/${index}.tar`;

	let limitBytes = Number.POSITIVE_INFINITY;
	/** How large it is now is not known before it is read: as large as the last time, and no larger than there is room. */
	const claim = async () => {
		limitBytes = (await context.room?.claim(name, context.previous(name)?.bytes ?? 0, 'in the moment')) ?? limitBytes;
	};

	return {
		name,
		pinNeedsItsContainer: false,
		pinStores: false,
		async prepare() {
			try {
				const {linkTarget} = await engine.stat(container.id, path);
				if (linkTarget !== '') {
					throw new RunError(`\`${path}\` in container \`${container.name}\` is a link to \`${linkTarget}\``, {
						hint: 'name the path that it leads to',
					});
				}
			} catch (error) {
				throw statusOf(error) === 404 ? new RunError(`\`${path}\` does not exist in container \`${container.name}\``) : error;
			}

			await claim();
		},
		async firstPass() {},
		// The first pass of another source may have taken long.
		arm: claim,
		async pin(moment) {
			const both = AbortSignal.any([signal, moment]);
			const archive = await engine.archive(container.id, path, both);
			const copy = await worker({argv: ['sh', '-c', 'cat >"$1"', 'sh', file], stdin: true, signal: both});
			copy.stdout.resume();
			await pipeline(archive, limited(path, limitBytes), copy.stdin, {signal: both});
			const {exitCode, stderr} = await copy.done;
			if (exitCode !== 0) {
				throw new RunError(`\`${path}\` could not be copied aside: ${lastLines(stderr)}`);
			}
		},
		async store() {
			// tar reports an archive that breaks off; the engine's stream only ends.
			const entries = (await succeed(worker, {argv: ['sh', '-c', 'tar -tf "$1" | wc -l', 'sh', file], signal})).trim();
			await succeed(worker, {argv: ['sh', '-c', 'tar -tf "$1" >/dev/null', 'sh', file], signal});
			return storeStaged(context, name, file, {path, entries: Number(entries)});
		},
		async close() {},
	};
}

/** What flows through, until it is more than that. */
const limited = (path: string, limitBytes: number) =>
	async function* (archive: AsyncIterable<Buffer>) {
		let bytes = 0;
		for await (const chunk of archive) {
			bytes += chunk.length;
			if (bytes > limitBytes) {
				throw new RunError(
					`there is too little room for the copy of \`${path}\` that is made before it is stored: it is larger than ${room(limitBytes)}`,
					{
						hint: 'make room on the disk of the engine (`docker system df`), or keep data that grows in a volume',
					},
				);
			}

			yield chunk;
		}
	};
