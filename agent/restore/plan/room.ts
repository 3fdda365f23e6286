/** Whether the files of a restore fit where they belong; the room for databases is asked of their servers, in `sources/postgres/check.ts`. */

import {output, type Place} from '../../../base/command.ts';
import {explain} from '../../../base/errors.ts';
import {runId} from '../../../base/ids.ts';
import {hireWorkers, staging} from '../../../docker/worker.ts';
import type {NamedRepository} from '../../repository/repositories.ts';
import type {Restic} from '../../restic/restic.ts';
import type {Workshop} from '../../runs/workshop.ts';
import {mountsOf, workerMount} from '../../sources/mounts.ts';
import type {RestoringSource} from '../../sources/restoring.ts';
import {heldBytes, roomProblems, type Writing} from '../../sources/room.ts';
import {comparing} from '../../sources/volume/restore.ts';
import type {Restoration} from './plan.ts';

type Sources = Restoration['sources'];

interface Asked {
	/** Has the mounts of the sources. */
	worker: Place;
	/** At the worker, on the repository that has the point. */
	restic: Restic;
	signal: AbortSignal;
}

/** Nothing is changed. @returns what does not fit */
export const fileRoomProblems = async (sources: Sources, asked: Asked): Promise<string[]> =>
	roomProblems(
		asked.worker,
		sources.flatMap(source => writingOf(source, sources, asked) ?? []),
		asked.signal,
	);

/** The same, before there is a run: in a worker of its own, which may only read. */
export async function fileRoomAhead(
	workshop: Pick<Workshop, 'engine' | 'self' | 'agentId'>,
	from: NamedRepository,
	sources: Sources,
): Promise<string[]> {
	if (sources.every(({kind}) => kind === 'postgres')) {
		return [];
	}

	try {
		const workforce = await hireWorkers({...workshop, run: `plan-${runId(Date.now())}`});
		try {
			const mounts = mountsOf(sources).map(mount => ({...mount, readOnly: true}));
			const {run: worker} = await workforce.repository(mounts, 'read');
			return await fileRoomProblems(sources, {worker, restic: from.restic(worker), signal: new AbortController().signal});
		} finally {
			await workforce.dismiss();
		}
	} catch (error) {
		return [`whether there is room for the files is not known: ${explain(error)}`];
	}
}

function writingOf(source: RestoringSource, all: Sources, {worker, restic, signal}: Asked): Writing | undefined {
	const written = {source: source.name, atMost: heldBytes(source.stored)};
	switch (source.kind) {
		case 'postgres':
			return undefined;
		case 'sqlite':
			return {...written, folder: workerMount(source.target, source).to};
		case 'tar':
			// It is unpacked from there; what the container's own file system has left is not known.
			return {...written, folder: staging};
		case 'volume': {
			const folder = workerMount(source.target, source).to;
			const exactly = async () => {
				const isFolder = (await output(worker, {argv: ['test', '-d', folder], signal})).exitCode === 0;
				// The comparison counts holes as if they were written.
				return isFolder ? Math.min((await restic.changes({...comparing(source, all), signal})).bytes, written.atMost) : written.atMost;
			};
			return {...written, folder, exactly};
		}
	}
}
