/** A folder with a real repository in it, for one test. */
import {mkdir, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {createRestic} from '../../../agent/restic/create.ts';
import type {Repository} from '../../../agent/restic/repository.ts';
import type {Restic} from '../../../agent/restic/restic.ts';
import type {Place} from '../../../base/command.ts';
import {placeWithRestic} from '../machine/restic.ts';

export const password = 'canary-password';

export const stamp = {tags: ['holdfast', 'run:1'], time: new Date('2026-01-31T12:00:00Z'), host: 'test-host'};

interface Scratch {
	folder: string;
	/** Empty; to be backed up. */
	data: string;
	place: Place;
	repository: Repository;
	restic: Restic;
}

/** Gives the work a new folder, with a repository that is made already unless `init` is false. */
export const withScratch = async (work: (scratch: Scratch) => Promise<void>, {init = true} = {}): Promise<void> => {
	const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-restic-'));
	const place = await placeWithRestic();
	const repository = {
		name: 'primary',
		location: path.join(folder, 'repository'),
		env: {RESTIC_PASSWORD: password},
		cacheDirectory: path.join(folder, 'cache'),
	};
	const restic = createRestic(place, repository, {lockPatienceSeconds: 0});
	const data = path.join(folder, 'data');
	await mkdir(data);
	try {
		if (init) {
			await restic.init();
		}

		await work({folder, data, place, repository, restic});
	} finally {
		await rm(folder, {recursive: true, force: true});
	}
};
