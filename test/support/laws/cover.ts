/** Which of many kills are tried: all, those that a pattern names, or a cover of them that is another one for each commit. */
import process from 'node:process';
import {commit, drawn} from '../runner/draw.ts';

export interface Pair {
	/** Of the test. */
	name: string;
	/** Where: `quiesce app`. */
	step: string;
	/** Of which run, where there are several: what is an undo's step is not a restore's. */
	verb?: string;
	/** Who. */
	victim: string;
}

/** At these, the agent's death matters most: it is tried whatever is drawn. */
const always = ['quiesce', 'pin', 'resume', 'publish', 'swap', 'start'];

/** Of several containers or sources, a step is one kind: `swap app/volume:/data` and `swap db/postgres:app`. Pure. */
const kindOf = ({step}: Pair): string => step.split(' ', 1)[0] ?? '';

/** Each kind of step once and each victim once, drawn by the seed, and what is always tried. In the order of the kills. Pure. */
export const coverOf = <One extends Pair>(kills: readonly One[], seed: string): One[] => {
	const order = drawn(kills, seed, ({name}) => name);
	const [chosen, steps, victims] = [new Set<One>(), new Set<string>(), new Set<string>()];
	// First those that are new in both: so there are as few as can be.
	for (const news of [2, 1]) {
		for (const kill of order) {
			if (Number(!steps.has(kindOf(kill))) + Number(!victims.has(kill.victim)) >= news) {
				chosen.add(kill);
				steps.add(kindOf(kill));
				victims.add(kill.victim);
			}
		}
	}

	/** Of each run by itself. */
	const vital = (kill: One) => (kill.victim === 'agent' && always.includes(kindOf(kill)) ? `${kill.verb} ${kindOf(kill)}` : undefined);
	for (const which of new Set(kills.flatMap(kill => vital(kill) ?? []))) {
		const first = order.find(kill => vital(kill) === which);
		if (first) {
			chosen.add(first);
		}
	}

	return kills.filter(kill => chosen.has(kill));
};

export interface Wanted<One> {
	/** Every kill, not only a cover. */
	isWhole: boolean;
	/** Of which a cover is made. */
	among?: (kill: One) => boolean;
}

/** `KILLS=all`; a pattern of names, to look into one: `KILLS='^restic killed at .pin'`; `KILLS_SEED=…` draws the same again. */
export const wanted = <One extends Pair>(kills: readonly One[], {isWhole, among = () => true}: Wanted<One>): readonly One[] => {
	const {KILLS: only = isWhole ? 'all' : undefined, KILLS_SEED: seed = commit()} = process.env;
	if (only === undefined) {
		return coverOf(kills.filter(among), seed);
	}

	return only === 'all' ? kills : kills.filter(({name}) => new RegExp(only).test(name));
};

/** Of cases that are alike, some by day, drawn by the seed; in their order. */
export const some = <One>(
	cases: readonly One[],
	{isWhole, count, nameOf}: {isWhole: boolean; count: number; nameOf: (one: One) => string},
): One[] => {
	const {KILLS_SEED: seed = commit()} = process.env;
	const chosen = new Set(isWhole ? cases : drawn(cases, seed, nameOf).slice(0, count));
	return cases.filter(one => chosen.has(one));
};
