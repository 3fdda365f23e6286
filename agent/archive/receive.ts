/** The archive of an import on its way in: read as it comes, checked, and laid whole into the staging folder. */

import {basename, dirname} from 'node:path/posix';
import type {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {lastLines, type Place, succeed} from '../../base/command.ts';
import {UsageError} from '../../base/errors.ts';
import type {Tell} from '../../base/events.ts';
import {label} from '../../base/label.ts';
import {staging} from '../../docker/worker.ts';
import {shownAt, type WorkerMount} from '../../docker/worker-mounts.ts';
import {mountPath, parseSource} from '../repository/names.ts';
import {archiveProblem} from '../sources/postgres/archive.ts';
import type {DumpHeader} from '../sources/postgres/dump-header.ts';
import type {PlannedDatabase} from '../sources/postgres/plan.ts';
import {freeRoom} from '../sources/room.ts';
import type {SourceContext} from '../sources/source.ts';
import type {PlannedVolume} from '../sources/volume/plan.ts';
import {type Unpacked, unpack} from './unpack.ts';

export interface StagingPlace {
	/** The staged dump. */
	dump: string;
	/** The staged files, as the staging folder has them. */
	folder: string;
	/** The same folder under the path that it gets in the repository. */
	path: string;
}

/** The staging volume is also mounted at the folder above the path that the files get in the repository. */
export function placeOf(target: string, files: ImportRun['files']): StagingPlace {
	const path = files === undefined ? '/files' : mountPath(target, parseSource(files.name).prefix, files.mount.path);
	const name = basename(path);
	return {dump: `${staging}/${name === 'dump' ? 'database' : 'dump'}`, folder: `${staging}/${name}`, path};
}

/** Where the target's own files are in the worker: whom the imported ones are given to. */
const live = '/holdfast-live';

export function mountsOf({files}: ImportRun, {path}: StagingPlace): WorkerMount[] {
	return files === undefined
		? []
		: [shownAt(files.mount, {to: live, readOnly: true}), {type: 'volume', from: staging, to: dirname(path), readOnly: false}];
}

/** Resolves when all of the body was read, is well-formed and is on the disk. */
export async function receive(
	context: SourceContext,
	{body, database, files, limitBytes, signal, file, tell}: ImportRun,
	{place, tool}: {place: StagingPlace; tool: string},
): Promise<Unpacked> {
	const {worker} = context;
	const [free = 0] = await freeRoom(worker, [staging], signal);
	try {
		return await unpack(body, {
			// Some is left to the others whose volumes are on the same disk.
			limitBytes: Math.min(limitBytes, Math.floor(free * 0.9)),
			check: header => assertReadable(tool, database, header),
			dump: async content => pour(worker, content, {argv: ['sh', '-c', 'umask 077; cat >"$1"', 'sh', place.dump], signal}),
			async files(archive) {
				if (files === undefined) {
					throw new UsageError('the archive holds files, and the target has no volume that they could belong to', {
						hint: `label the service with \`${label('volumes')}\``,
					});
				}

				await succeed(worker, {argv: ['mkdir', '--', place.folder], signal});
				await pour(worker, archive, {argv: ['tar', '--extract', '--keep-old-files', `--directory=${place.folder}`, '--file=-'], signal});
			},
			onProgress: bytes => tell({type: 'progress', source: file, bytes}),
		});
	} catch (error) {
		throw error instanceof UsageError ? new UsageError(`\`${file}\` cannot be imported`, {cause: error, hint: error.hint}) : error;
	}
}

/** Into the standard input of a program; the reason of the program comes before that of the stream. */
async function pour(worker: Place, content: Readable, {argv, signal}: {argv: [string, ...string[]]; signal: AbortSignal}): Promise<void> {
	const running = await worker({argv, stdin: true, signal});
	running.stdout.resume();
	const [poured, ended] = await Promise.allSettled([
		pipeline(content, running.stdin, {signal}).catch(async (error: unknown) => {
			running.stdin.end();
			throw error;
		}),
		running.done,
	]);
	if (ended.status === 'fulfilled' && ended.value.exitCode !== 0) {
		const reason = lastLines(ended.value.stderr);
		throw /File exists/.test(reason) ? new UsageError(`the archive holds a file twice: ${reason}`) : new Error(reason);
	}

	for (const result of [poured, ended]) {
		if (result.status === 'rejected') {
			throw result.reason;
		}
	}
}

/** @param tool what the container's `pg_restore --version` prints */
function assertReadable(tool: string, {container}: ImportRun['database'], {version}: DumpHeader): void {
	const problem = archiveProblem(version, tool);
	if (problem !== undefined) {
		throw new UsageError(`${problem} (container \`${container.name}\`)`, {
			hint: 'dump it with the pg_dump of that version, or import it into a newer server',
		});
	}
}

/** To whom the volume belongs; where that is root, to whom a file of it belongs. The archive's own owners are those of another machine. */
export async function giveToOwner({worker, signal}: SourceContext, {folder}: StagingPlace): Promise<void> {
	const script = `owner=$(stat -c %u:%g -- "$1")
[ "$owner" != 0:0 ] || owner=$(find "$1" -mindepth 3 -maxdepth 3 -type f -printf '%U:%G' -quit)
chown -R -- "\${owner:-0:0}" "$2" && find "$2" -type d -exec chmod 755 {} + && chown --reference="$1" -- "$2" && chmod --reference="$1" -- "$2"`;
	await succeed(worker, {argv: ['sh', '-c', script, 'sh', live, folder], signal});
}

export interface ImportRun {
	run: string;
	startedAt: Date;
	target: string;
	database: PlannedDatabase;
	/** Where the archive's files belong; undefined where the target has no such place. */
	files: PlannedVolume | undefined;
	body: Readable;
	/** As the person called it. */
	file: string;
	limitBytes: number;
	/** Nothing more is read of the body: it was taken, or refused for this reason. */
	onReceived: (refusal?: unknown) => void;
	signal: AbortSignal;
	tell: Tell;
}
