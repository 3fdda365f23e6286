/** The known word that somebody probably meant; undefined when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
	if (word.length > 2 * Math.max(...known.map(({length}) => length))) {
		return undefined;
	}

	const [best] = known
		.map(candidate => ({candidate, distance: editDistance(word.toLowerCase(), candidate)}))
		.filter(({candidate, distance}) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
		.sort((a, b) => a.distance - b.distance);
	return best?.candidate;
}

/** How many insertions, deletions and replacements lead from one word to the other. */
function editDistance(from: string, to: string): number {
	let previous = Array.from({length: to.length + 1}, (_, index) => index);
	for (let row = 1; row <= from.length; row++) {
		const current = [row];
		for (let column = 1; column <= to.length; column++) {
			const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
			current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
		}

		previous = current;
	}

	return previous[to.length] ?? 0;
}
