/**
 * The first pass of a volume: what the application runs for, so that the moment has little to read. Where nothing changed since the backup before, or
 * little, that one serves as the first pass; but not after a run that failed, perhaps because the moment took too long: a disk that was exchanged for
 * one with old files looks unchanged.
 */
import {succeed} from '../../../base/command.ts';
import {RepositoryError} from '../../../base/errors.ts';
import {agentTag, firstPassTag, runTag} from '../../repository/names.ts';
import type {FilesOptions, Saved} from '../../restic/restic.ts';
import type {SourceContext} from '../source.ts';
import {bothOf, type Changes, changedBetween, lastOf} from './changes.ts';
import {firstLook, holdsAll, type Little} from './since.ts';

/** What it leaves to the second. */
export interface Passed {
	/** The snapshot from which what is unchanged need not be read again. */
	parent: string | undefined;
	/** There every pass reads everything. */
	isTimeless: boolean;
	/** When the files were written back that were read first. */
	begun: Date;
	/** What it stored, and the second finds in the repository. */
	addedBytes: number;
}

export interface FirstPassOptions {
	/** As people write it. */
	name: string;
	/** Of every snapshot of the source. */
	options: Omit<FilesOptions, 'time'>;
	/** Its patterns leave out more than what restores make. */
	excludes: boolean;
	/** When its container was made: milliseconds since 1970. */
	createdAt: number;
	/** Of the run. */
	sources: number;
	/** A second pass may begin from that snapshot while it is looked whether it will do. */
	onGuess: (parent: string) => void;
	/** It will not. */
	onMore: () => void;
}

/**
 * So little is read again whole, where something of it changed: telling it apart costs a start of restic, and reading it a tenth of a second. Its
 * content is in the repository by then, so that the moment waits for no network and no disk that is written to.
 */
const isLittle = ({bytes, files}: Saved): boolean => bytes <= 16 * 1024 ** 2 && files <= 1000;

/** So long, in seconds, the moment may store what was not read ahead; where it takes much longer than that, the next one has it read ahead. */
const longestInMoment = 0.25;

/** How often it begins anew because very much changed while it ran. */
const mostPasses = 3;

export async function firstPass(
	context: SourceContext,
	{name, options, excludes, createdAt, sources, onGuess, onMore}: FirstPassOptions,
): Promise<Passed> {
	const {restic, worker, signal, run, agent, pace} = context;
	const {path} = options;
	let addedBytes = 0;
	const pass = async (parent: string | undefined, only?: readonly string[]): Promise<Saved> => {
		const passed = await restic.backupFiles({
			...options,
			only,
			time: new Date(),
			tags: [firstPassTag, agentTag(agent), runTag(run)],
			parent,
			live: true,
		});
		addedBytes += passed.addedBytes;
		pace?.learn(passed);
		return passed;
	};
	/** @returns since when every change of a file that is mapped into memory gives it a new time: what was changed before is written back */
	const writtenBack = async (): Promise<Date> => {
		const at = new Date();
		await succeed(worker, {argv: ['sync', '-f', path], signal});
		return at;
	};
	/** A folder on a disk that has shown how fast it is: the moment reads it alone, which spares the run a start and a snapshot. */
	const fitsMoment = ({bytes, hasFolders}: Little): boolean =>
		!hasFolders && (pace?.secondsFor(bytes * sources) ?? Number.POSITIVE_INFINITY) <= longestInMoment;
	/** Little that changed: its content is in the repository when the moment comes, which reads it again. False: it was more than that. */
	const isAhead = async (little: Little, from: string): Promise<boolean> => {
		try {
			return holdsAll(little, await pass(from, little.paths));
		} catch (error) {
			signal.throwIfAborted();
			// Some of it is gone already, or cannot be read: who looks at all of it knows.
			if (error instanceof RepositoryError && error.problem === 'failed') {
				return false;
			}

			throw error;
		}
	};
	/** The same snapshot without what changed then, so that a pass from it reads that again; undefined where all must be. */
	const distrusting = async (saved: Saved, {patterns}: Changes): Promise<string | undefined> =>
		patterns === 'everything' || (patterns.length > 0 && isLittle(saved))
			? undefined
			: restic.rewriteWithout(saved.snapshot, patterns, signal);

	const latest = context.previous(name);
	const isSame = latest?.isLatest && createdAt < latest.runStartedAt.getTime();
	if (isSame) {
		onGuess(latest.snapshot);
	}

	const until = latest?.newest === undefined ? latest && lastOf(latest.runEndedAt) : (latest.newest ?? undefined);
	const {since, isTimeless, ...looked} = await firstLook(context, path, isSame ? {from: latest.runStartedAt, until, excludes} : undefined);
	let {begun} = looked;
	const withParent = (parent: string | undefined): Passed => ({parent, isTimeless, begun, addedBytes});
	const previous = isTimeless ? undefined : latest;
	const isLittleMore = typeof since === 'object' && !since.isDoubtful;
	if (previous && (since === 'nothing' || (isLittleMore && (fitsMoment(since) || (await isAhead(since, previous.snapshot)))))) {
		return withParent(previous.snapshot);
	}

	onMore();
	let passed = await pass(previous?.snapshot);
	if (isTimeless) {
		return withParent(undefined);
	}

	const before = previous && until && (await changedBetween(context, path, previous.runStartedAt, until));
	if (before !== undefined && before.patterns.length > 0) {
		const trusted = await distrusting(passed, bothOf(before, await changedBetween(context, path, begun, undefined)));
		if ((trusted === undefined && isLittle(passed)) || typeof since === 'object') {
			return withParent(trusted);
		}

		if (trusted !== passed.snapshot) {
			begun = await writtenBack();
			passed = await pass(trusted);
		}
	}

	for (let passes = 1; ; passes++) {
		const changes = await changedBetween(context, path, begun, undefined);
		const parent = await distrusting(passed, changes);
		if (!changes.isCoarse || passes === (context.keepsAll ? 1 : mostPasses)) {
			return withParent(parent);
		}

		// What must be read again is read while the application runs, and not in the moment.
		begun = await writtenBack();
		passed = await pass(parent);
	}
}
