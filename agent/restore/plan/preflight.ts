/** Everything that can be known of a restore before anything is touched: what it will do, or all that is wrong with it at once. */

import {UsageError} from '../../../base/errors.ts';
import {asResumed} from '../../../docker/resume.ts';
import type {Survey} from '../../plan/survey.ts';
import type {NamedRepository, Repositories} from '../../repository/repositories.ts';
import type {Runs} from '../../runs/runs.ts';
import type {Workshop} from '../../runs/workshop.ts';
import {kindOf} from '../../sources/kinds.ts';
import type {RestoringSource} from '../../sources/restoring.ts';
import type {State} from '../../state/state.ts';
import {checkRestoration, unreadable} from './check.ts';
import {keeperAmong} from './from.ts';
import {graceWarnings} from './graces.ts';
import {namesUp, newcomersTo} from './newcomers.ts';
import type {Restoration} from './plan.ts';
import {filesAhead, isBeside, wayWarnings} from './room.ts';
import type {Counts} from './storages.ts';
import {createPlanning, type Wanted, withAcknowledged} from './wanted.ts';

interface Parts {
	workshop: Pick<Workshop, 'engine' | 'self' | 'hire' | 'journal' | 'ownership'>;
	survey: Survey;
	repositories: Repositories;
	isUnderWay: Runs['isUnderWay'];
	state: Pick<State, 'acceptedUpTo'>;
	/** Bytes that must be left beside the size of the restored databases. */
	restoreMarginBytes: number;
	/** The share of its size that a source may lose from one point to the next. */
	shrinkLimit: number;
}

/** A restore that nothing forbids, and the repository that it reads. */
export interface Prepared {
	restoration: Restoration;
	from: NamedRepository;
	/** Of what is files, where it was asked. */
	counts: Counts;
	/** Names of those who have been started since, and have in hand what is about to be replaced. */
	newcomers: () => Promise<string[]>;
}

/**
 * With `whole`, what takes a worker or reads more of the repository is asked even where nothing else is wrong: a run that is about to begin does so itself.
 * @throws {NotFoundError | UsageError} with all that is wrong
 */
export type Preflight = (wanted: Wanted, options?: {whole: boolean}) => Promise<Prepared>;

export function createPreflight({
	workshop,
	survey,
	repositories,
	isUnderWay,
	state,
	restoreMarginBytes: marginBytes,
	shrinkLimit,
}: Parts): Preflight {
	const {engine, self} = workshop;
	const present = async () => {
		const {containers, unseen} = await survey.present();
		return {containers: asResumed(containers, workshop.journal, ({run}) => isUnderWay(run)), unseen};
	};

	const costlier = async (from: NamedRepository, {sources}: Restoration) => {
		const unread = await unreadable(sources, from.restic(undefined, {cached: false}));
		return unread.length > 0 ? {problems: unread, counts: new Map(), sources} : filesAhead(workshop, from, {sources, marginBytes});
	};

	const planWanted = createPlanning({workshop, survey, repositories, state, shrinkLimit, present});

	return async (wanted, {whole} = {whole: false}) => {
		const {from, warning, restoration, problems} = await planWanted(wanted);
		const {containers} = await present();
		const found = [...problems, ...(await checkRestoration(restoration, {engine, restic: from.restic(), marginBytes, containers}))];
		const isReadOnly = restoration.sources.some(isOverwritten) && (await keeperAmong(repositories, from)) === undefined;
		const further: Awaited<ReturnType<typeof costlier>> =
			whole || isReadOnly || found.length > 0
				? await costlier(from, restoration)
				: {problems: [], counts: new Map(), sources: restoration.sources};
		assertNothingWrong(wanted.target, restoration, [...found, ...further.problems]);
		const {sources, counts} = further;
		const graces = await graceWarnings(restoration, engine);
		return {
			restoration: told(restoration, {sources, warning, graces, isReadOnly, isDecided: whole || isReadOnly}),
			from,
			counts,
			newcomers: async () => newcomersTo(restoration, namesUp(containers), {...(await present()), self: self.containerId}),
		};
	};
}

/** @throws {UsageError} with all of it */
function assertNothingWrong(target: string, {points}: Restoration, wrong: readonly string[]): void {
	if (wrong.length > 0) {
		const ids = points.map(({id}) => `\`${id}\``).join(', ');
		throw new UsageError(`\`${target}\` cannot be restored to point ${ids}: ${[...new Set(wrong)].join('; ')}`);
	}
}

interface Told {
	sources: Restoration['sources'];
	/** Of its point. */
	warning: string | undefined;
	/** Of who asks for long to end. */
	graces: readonly string[];
	/** Nothing is kept of what is overwritten: no repository takes it. */
	isReadOnly: boolean;
	isDecided: boolean;
}

/** With all that a person is told of it. Pure. */
function told(restoration: Restoration, {sources, warning, graces, isReadOnly, isDecided}: Told): Restoration {
	const warnings = [
		...(warning === undefined ? [] : [warning]),
		...restoration.warnings,
		...graces,
		...wayWarnings(sources, restoration.target),
	];
	const planned = {...restoration, sources, isDecided, warnings};
	const lost = isReadOnly ? sources.filter(source => isOverwritten(source) && !isBeside(source)).map(({name}) => `\`${name}\``) : [];
	return lost.length === 0
		? planned
		: withAcknowledged(
				planned,
				`no repository can be written, so nothing is kept of what ${lost.join(', ')} ${lost.length === 1 ? 'holds' : 'hold'} now: this restore cannot be undone`,
			);
}

const isOverwritten = ({kind}: RestoringSource): boolean => !kindOf(kind).isDatabase;
