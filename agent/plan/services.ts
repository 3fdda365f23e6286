/** What only a look at the running services can tell: asked a few at once, and what servers say is remembered for a while. */
import PQueue from 'p-queue';
import {explain} from '../../base/errors.ts';
import type {Problem} from '../../base/problem.ts';
import type {Container} from '../../docker/container.ts';
import type {Kind, Means} from '../sources/kind.ts';
import {kinds} from '../sources/kinds.ts';
import type {Suggestion} from '../targets/suggest.ts';
import {askedOf, type Member, type Target} from '../targets/target.ts';

interface Answers {
	/** By the ids of containers, and for each by kind. */
	answers: Map<string, Record<string, unknown>>;
	/** With those that gave none. */
	problems: Problem[];
}

export interface Services {
	/** What the servers of a target say of their databases. @param maximumAgeMs of an answer that will do; 0 for what is about to run */
	ask: (target: Target, agent: Container | undefined, maximumAgeMs: number) => Promise<Answers>;
	/** What is in the mounts of a service that no label speaks of, as the labels that it should have. */
	refine: (suggestion: Suggestion, agent: Container | undefined) => Promise<Suggestion>;
	/** What containers said that are gone. */
	forgetOthers: (containers: readonly Container[]) => void;
}

/** Asking servers for their databases takes a few processes each. */
const atOnce = 4;
/** What a person waits for a look into the mounts of one service. */
const proposingMs = 30_000;

export function createServices(means: Omit<Means, 'agent'>): Services {
	const turns = new PQueue({concurrency: atOnce});
	/** What each service answered to each kind, by its container's id. */
	const remembered = new Map<string, ReadonlyMap<Kind, {at: number; answer: unknown}>>();

	/** Undefined: there is nobody to ask. */
	const askKind = async (member: Member, kind: Kind, agent: Container | undefined, maximumAgeMs: number): Promise<unknown> => {
		const {id} = member.container;
		const kept = remembered.get(id)?.get(kind);
		// What is about to run asks anew.
		const longerMs = kept === undefined || (kind.isLasting?.(kept.answer) ?? true) ? (kind.answersKeptMs ?? 0) : 0;
		const ageMs = maximumAgeMs === 0 ? 0 : Math.max(maximumAgeMs, longerMs);
		if (kept !== undefined && Date.now() - kept.at < ageMs) {
			return kept.answer;
		}

		const answer = await kind.ask?.(askedOf(member, kind), {...means, agent});
		if (answer !== undefined) {
			remembered.set(id, new Map(remembered.get(id)).set(kind, {at: Date.now(), answer}));
		}

		return answer;
	};

	/** A server says by its own label what it has; of one that shares its mounts, they are named already. */
	const refine = async (suggestion: Suggestion, agent: Container | undefined): Promise<Suggestion> => {
		const {container, labels, why} = suggestion;
		if (suggestion.isServer || labels.volumes !== undefined) {
			return suggestion;
		}

		const signal = AbortSignal.timeout(proposingMs);
		const asked = kinds.map(async ({title, propose}) =>
			propose?.(container, {...means, agent}, signal).catch((error: unknown) => ({
				labels: {},
				why: `whether it has databases of ${title} is not known: ${signal.aborted ? `nobody looked for longer than ${proposingMs / 1000} s` : explain(error)}`,
			})),
		);
		const proposals = (await Promise.all(asked)).filter(proposal => proposal !== undefined);
		return {
			...suggestion,
			labels: Object.assign({...labels}, ...proposals.map(proposal => proposal.labels)),
			why: [...proposals.map(proposal => proposal.why), ...why],
		};
	};

	return {
		async ask({name, members}, agent, maximumAgeMs) {
			const answers: Answers['answers'] = new Map();
			const problems: Problem[] = [];
			const questions = members.flatMap(member => kinds.filter(({ask}) => ask !== undefined).map(kind => ({member, kind})));
			await Promise.all(
				questions.map(async ({member, kind}) =>
					turns.add(async () => {
						try {
							const {id} = member.container;
							const answer = await askKind(member, kind, agent, maximumAgeMs);
							answers.set(id, {...answers.get(id), [kind.kind]: answer});
						} catch (error) {
							problems.push({message: `the databases of \`${name}\` cannot be listed: ${explain(error)}`});
						}
					}),
				),
			);
			return {answers, problems};
		},
		refine: async (suggestion, agent) => turns.add(async () => refine(suggestion, agent)),
		forgetOthers(containers) {
			const ids = new Set(containers.map(({id}) => id));
			for (const id of remembered.keys()) {
				if (!ids.has(id)) {
					remembered.delete(id);
				}
			}
		},
	};
}
