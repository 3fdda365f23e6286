/** Files that show one law each in another way take turns by day: some of a family for each commit, and all of them by night. */
import {drawn} from './draw.ts';

export interface Turn {
	file: string;
	/** None: it runs every time. */
	family: string | undefined;
}

/** `Turns: repository.` in the comment that a file begins with. Pure. */
export const familyOf = (text: string): string | undefined => {
	const [comment = ''] = /^\/\*\*.*?\*\//s.exec(text) ?? [];
	return /\bTurns: (\w+)/.exec(comment)?.[1];
};

/** Of each family a quarter at most, and one at least. Pure. @returns those whose turn it is not */
export function outOfTurn(files: readonly Turn[], seed: string): Set<string> {
	const out = new Set<string>();
	for (const [family, members] of Map.groupBy(files, each => each.family)) {
		if (family !== undefined) {
			for (const {file} of drawn(members, seed, each => each.file).slice(Math.max(1, Math.floor(members.length / 4)))) {
				out.add(file);
			}
		}
	}

	return out;
}
