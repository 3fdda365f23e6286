/** What an earlier life left and can be put right only when the repository is open. */
import {here} from '../../base/here.ts';
import {untilDone} from '../../base/until-done.ts';
import type {Sweeper} from '../keep/sweep.ts';
import type {RepositoryDoor} from '../repository/door.ts';
import {listPoints, readManifest} from '../repository/points.ts';
import type {Runs} from '../runs/runs.ts';
import type {Workshop} from '../runs/workshop.ts';
import {closeInterrupted} from './interrupted.ts';
import {type Recovery, releaseLocks} from './recovery.ts';

interface Opened {
	repository: Pick<RepositoryDoor, 'open'>;
	workshop: Pick<Workshop, 'restic'>;
	sweeper: Pick<Sweeper, 'releaseLocks'>;
	runs: Pick<Runs, 'isUnderWay'>;
	signal: AbortSignal;
}

/** Tries until it is open: then runs that were interrupted are ended, and locks of the dead removed. @throws the signal's reason */
export async function putRightOnceOpen(recovery: Recovery, {repository, workshop, sweeper, runs, signal}: Opened): Promise<void> {
	const {state, log} = recovery;
	await untilDone('the repository cannot be opened', {log, signal}, async () => {
		log.info(`repository ${(await repository.open()).slice(0, 8)} is open`);
		if (state.interruptedRuns().length > 0) {
			// Without a lock: what is asked may be shut out by one that the dead left, and that is removed only when it is known which runs are over.
			const restic = workshop.restic(here, {withoutLock: true});
			await closeInterrupted(recovery, {
				points: await listPoints(restic),
				manifestOf: async point => readManifest(restic, point),
				isUnderWay: ({run}) => runs.isUnderWay(run),
			});
		}

		await releaseLocks(sweeper, log, signal);
	});
}
