/** A restore run: load beside what is live, check it, stop the dependents, keep what is overwritten, swap, start again. */

import {RunError} from '../../base/errors.ts';
import {label} from '../../base/label.ts';
import type {RestoreResult} from '../../base/results.ts';
import type {Worker} from '../../docker/worker.ts';
import {type Previous, previousOf} from '../backup/previous.ts';
import {sourceContext} from '../runs/source-context.ts';
import {kindOf, writingOf} from '../sources/kinds.ts';
import {mountsOf} from '../sources/mounts.ts';
import {describeTolerated, type RestoreContext, type RestoringSource, subjectOf} from '../sources/restoring.ts';
import {filesContext, type RestoreWorkshop, restoreRun} from './context.ts';
import {aroundRestore} from './hooks.ts';
import {openRestoreJournal} from './journal.ts';
import type {Restoration} from './plan/plan.ts';
import {fileProblems, wayWarnings, withWays} from './plan/room.ts';
import {inTurn, type Member, type Replacing, replace} from './replace.ts';
import {clearLeft, type Hands, takeBack} from './take-back.ts';

export interface RestoreRun extends Replacing {
	startedAt: Date;
	/** The newest point of each target: files that did not change since need not be read again for the safety point. */
	previous: ReadonlyMap<string, Previous | undefined>;
	/** No repository can be written: nothing of what is overwritten is kept, and a person knows it. */
	isUnkept: boolean;
	/** What must be left where files are loaded beside what is live. */
	marginBytes: number;
}

const untouched = 'nothing was replaced';

/** Never rejects: whatever happens is the outcome. */
export async function restore(workshop: RestoreWorkshop, options: RestoreRun): Promise<RestoreResult> {
	const {run, restoration} = options;
	const journal = openRestoreJournal(workshop.restores, {
		run,
		target: restoration.target,
		point: pointIds(restoration),
		keptIn: workshop.keeper.name,
	});
	return restoreRun(workshop, {...options, target: restoration.target, point: pointIds(restoration)}, async (workforce, progress) =>
		work(workshop, options, {workforce, journal, progress, left: [], isBack: false}),
	);
}

/** The ids of the points, of which there are several when a project is restored. */
export const pointIds = ({points}: Restoration): string => points.map(({id}) => id).join(',');

async function work(workshop: RestoreWorkshop, asked: RestoreRun, hands: Hands): Promise<void> {
	const {run, signal, tell} = asked;
	const {workforce, journal, progress} = hands;
	const {sources} = asked.restoration;
	progress.ending = untouched;
	const worker = await workforce.repository(mountsOf(sources), writingOf(sources.map(({name}) => name)));
	const options = await decided(workshop, asked, worker);
	const {restoration} = options;
	const context = contextOf(workshop, options, hands, worker);
	const crew: Member[] = restoration.sources.map((source, index) => ({
		subject: subjectOf(source, restoration.target),
		target: source.target,
		...kindOf(source.kind).restore(source, context(source), {index, all: restoration.sources}),
	}));
	const undone = async (error: unknown): Promise<never> => {
		const ending = journal.isTouched() ? 'what was there before is put back' : untouched;
		progress.ending = undefined;
		await takeBack(workshop, options, hands, {worker, cause: error});
		progress.ending = ending;
		throw error;
	};

	try {
		await inTurn(crew, async source => {
			signal.throwIfAborted();
			tell({type: 'step', step: 'load', subject: source.subject});
			await source.load();
			if (source.check !== undefined) {
				tell({type: 'step', step: 'check', subject: source.subject});
				await source.check().catch(refuse);
			}
		}).catch(undone);
		await aroundRestore(workshop, {
			run,
			hooks: restoration.hooks,
			signal,
			tell,
			work: async () => replace(workshop, options, hands, {crew, worker, undone}),
			onRefused: undone,
		});
	} finally {
		await Promise.allSettled(crew.map(async source => source.close()));
		await clearLeft(hands, tell);
	}
}

/** With how each source is written. @throws where there is no room, or where what is live cannot be changed */
async function decided({restic}: RestoreWorkshop, options: RestoreRun, {run: worker}: Worker): Promise<RestoreRun> {
	const {restoration, marginBytes, signal, tell} = options;
	const asked = {worker, restic: restic(worker), signal};
	const sources = restoration.isDecided ? restoration.sources : await withWays(restoration.sources, asked, marginBytes);
	const told = new Set(wayWarnings(restoration.sources, restoration.target));
	for (const message of wayWarnings(sources, restoration.target).filter(each => !told.has(each))) {
		tell({type: 'warning', message});
	}

	const problems = await fileProblems(sources, asked);
	if (problems.length > 0) {
		throw new RunError(problems.join('; '), {hint: 'try again when that is mended'});
	}

	return {...options, restoration: {...restoration, sources}};
}

function refuse(error: unknown): never {
	throw new RunError('what was loaded does not stand its check', {
		cause: error,
		hint: `where this state may rightly say no to \`${label('drill.sql')}\`: --skip-drill-sql`,
	});
}

function contextOf(
	workshop: RestoreWorkshop,
	{run, restoration, previous, isUnkept, signal, tell, startedAt}: RestoreRun,
	{workforce, journal, progress}: Hands,
	worker: Worker,
): (source: RestoringSource) => RestoreContext {
	const files = filesContext(workshop, worker.run, tell);
	const {target: asked} = restoration;
	const common = sourceContext(workshop, workforce, worker, {...files, run, target: asked, time: () => startedAt, signal, tell});
	return ({target}) => ({
		...common,
		...files,
		target,
		keeper: isUnkept ? undefined : filesContext({...workshop, restic: workshop.keeper.restic}, worker.run),
		previous: previousOf(previous.get(target)),
		remember: replacement => journal.remember({...replacement, target}),
		tolerate(tolerated) {
			progress.tolerated.push(tolerated);
			tell({type: 'warning', message: describeTolerated(tolerated)});
		},
	});
}
