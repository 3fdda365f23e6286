/** The sources of a backup at work. One that fails drops out and the others go on, so that a run tells all that is wrong. */
import PQueue from 'p-queue';
import {explain, PinBlockedError} from '../../base/errors.ts';
import type {SourceResult} from '../../base/results.ts';
import type {Plan} from '../plan/planned.ts';
import {kindOf} from '../sources/kinds.ts';
import {littleBytes, type PlannedSource, type Source, type SourceContext} from '../sources/source.ts';

/** Each is a connection to a server, and a restic that holds the repository's index. */
const atOnce = 3;

/** Every source has failed, and says why. */
export class NothingLeftError extends Error {}

export interface Member {
	planned: PlannedSource;
	source: Source;
}

export type Crew = ReturnType<typeof crewOf>;

export function enlist(plan: Plan, context: SourceContext, results: Map<string, SourceResult>): Crew {
	const members: Member[] = plan.sources.map((planned, index) => ({
		planned,
		source: kindOf(planned.kind).backup(planned, context, {index, all: plan.sources}),
	}));
	return crewOf(members, results, {signal: context.signal, asleep: new Set(plan.quiesce.map(({container}) => container.id))});
}

interface Conditions {
	signal: AbortSignal;
	/** The containers that stand still in the moment, by id: what they hold is pinned before, where they must answer for it. */
	asleep?: ReadonlySet<string>;
}

export function crewOf(members: readonly Member[], results: Map<string, SourceResult>, {signal, asleep = new Set()}: Conditions) {
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
			throw new NothingLeftError('no source is left to back up');
		}
	};

	const each = async (verb: (source: Source) => Promise<void>, which: (member: Member) => boolean = () => true): Promise<void> => {
		const attempts = await Promise.allSettled([...active].filter(which).map(async member => attempt(member, verb)));
		const refused = attempts.find(result => result.status === 'rejected');
		if (refused !== undefined) {
			throw refused.reason;
		}

		assertSome();
	};

	const answersOnlyBefore = ({planned, source}: Member) => source.pinNeedsItsContainer && asleep.has(planned.container.id);

	return {
		prepare: async () => each(async source => source.prepare()),
		firstPass: async () => each(async source => source.firstPass()),
		/** Starts what takes time to start: before the hooks, which may be part of the outage, and before each further try of the moment. */
		arm: async () => each(async source => source.arm()),
		/** What a quiesced container could not answer for. */
		pinBefore: async (inside: AbortSignal) => each(async source => source.pin(inside), answersOnlyBefore),
		/** Everything else. What may be refused goes first: a try that is given up must not have stored anything. */
		async pin(inside: AbortSignal): Promise<void> {
			const pin = async (source: Source) => source.pin(inside);
			await each(pin, member => !answersOnlyBefore(member) && !member.source.pinStores);
			await each(pin, member => !answersOnlyBefore(member) && member.source.pinStores);
		},
		/** The little ones beside each other, then the rest in turn. */
		async store(verb: (source: Source, planned: PlannedSource) => Promise<void>): Promise<void> {
			const isLittle = ({source}: Member) => (source.expectedBytes?.() ?? Number.POSITIVE_INFINITY) <= littleBytes;
			const beside = new PQueue({concurrency: atOnce});
			const little = [...active].filter(isLittle);
			const attempts = await Promise.allSettled(little.map(async member => beside.add(async () => attempt(member, verb))));
			const refused = attempts.find(result => result.status === 'rejected');
			if (refused !== undefined) {
				throw refused.reason;
			}

			for (const member of [...active].filter(other => !little.includes(other))) {
				await attempt(member, verb);
			}
		},
		async close(): Promise<void> {
			await Promise.allSettled(members.map(async ({source}) => source.close()));
		},
	};
}
