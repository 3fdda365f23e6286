/** The sources of a backup at work. One that fails drops out and the others go on, so that a run tells all that is wrong. */
import {explain, PinBlockedError} from '../../base/errors.ts';
import type {SourceResult} from '../../base/results.ts';
import type {Plan} from '../plan/planned.ts';
import {kindOf} from '../sources/kinds.ts';
import type {PlannedSource, Source, SourceContext} from '../sources/source.ts';

export interface Member {
	planned: PlannedSource;
	source: Source;
}

export function enlist(plan: Plan, context: SourceContext, results: Map<string, SourceResult>, signal: AbortSignal) {
	const members: Member[] = plan.sources.map((planned, index) => ({
		planned,
		source: kindOf(planned.kind).backup(planned, context, {index, all: plan.sources}),
	}));
	const active = new Set(members);
	const attempt = async (member: Member, verb: (source: Source, planned: PlannedSource) => Promise<void>): Promise<void> => {
		try {
			await verb(member.source, member.planned);
		} catch (error) {
			signal.throwIfAborted();
			// Another try is the moment's business.
			if (error instanceof PinBlockedError) {
				throw error;
			}

			active.delete(member);
			const {name: source} = member.planned;
			results.set(source, {source, outcome: 'failed', snapshot: null, bytes: 0, addedBytes: 0, error: explain(error)});
		}
	};

	const assertSome = (): void => {
		if (active.size === 0) {
			throw new Error('no source is left to back up');
		}
	};

	return {
		async each(verb: (source: Source) => Promise<void>, which: (member: Member) => boolean = () => true): Promise<void> {
			const attempts = await Promise.allSettled([...active].filter(which).map(async member => attempt(member, verb)));
			const refused = attempts.find(result => result.status === 'rejected');
			if (refused !== undefined) {
				throw refused.reason;
			}

			assertSome();
		},
		async inTurn(verb: (source: Source, planned: PlannedSource) => Promise<void>): Promise<void> {
			for (const member of [...active]) {
				await attempt(member, verb);
			}
		},
		async close(): Promise<void> {
			await Promise.allSettled(members.map(async ({source}) => source.close()));
		},
	};
}
