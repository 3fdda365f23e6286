/** Patterns of paths, matched folder by folder while a tree is walked, so that nobody walks where none can match. For programs of workers. */

type Token = 'any' | 'star' | {text: string} | {isNot: boolean; within: string};

/** One part of a path; `**` is null. */
type Part = readonly Token[] | null;

const tokenOf = /\\(.)|\[([!^]?)([^\]]+)\]|(\*+)|(\?)|(.)/gsu;

/** As `gitignore` and shells have it. A leading dot is a character like any other: databases may be hidden. */
export const partsOf = (pattern: string): Part[] =>
	pattern
		.split('/')
		.slice(1)
		.map(part =>
			part === '**'
				? null
				: [...part.matchAll(tokenOf)].map(([, escaped, not, within, star, any, text]): Token => {
						if (within !== undefined) {
							return {isNot: not !== '', within};
						}

						return star !== undefined ? 'star' : any !== undefined ? 'any' : {text: escaped ?? text ?? ''};
					}),
		);

function isOne(token: Token, character: string): boolean {
	if (token === 'any') {
		return true;
	}

	if (token === 'star') {
		return false;
	}

	return 'text' in token ? token.text === character : isWithin(token.within, character) !== token.isNot;
}

const isWithin = (within: string, character: string): boolean =>
	[...within.matchAll(/(.)-(.)|(.)/gsu)].some(([, from, to, one]) =>
		from !== undefined && to !== undefined ? from <= character && character <= to : one === character,
	);

/** Its time does not grow beyond that of both lengths multiplied, whatever they are. */
function matches(tokens: readonly Token[], name: string): boolean {
	const characters = [...name];
	let token = 0;
	let at = 0;
	let star = -1;
	let mark = 0;
	while (at < characters.length) {
		const current = tokens[token];
		if (current !== undefined && isOne(current, characters[at] ?? '')) {
			token++;
			at++;
		} else if (current === 'star') {
			star = token++;
			mark = at;
		} else if (star >= 0) {
			token = star + 1;
			at = ++mark;
		} else {
			return false;
		}
	}

	return tokens.slice(token).every(rest => rest === 'star');
}

/** A place in a pattern: so many parts are matched. */
export type Place = readonly [pattern: readonly Part[], done: number];

/** `**` may stand for nothing. */
export const settle = ([pattern, done]: Place): Place[] =>
	pattern[done] === null ? [[pattern, done], ...settle([pattern, done + 1])] : [[pattern, done]];

export const step = (places: readonly Place[], name: string): Place[] =>
	places.flatMap(([pattern, done]): Place[] => {
		const part = pattern[done];
		if (part === undefined) {
			return [];
		}

		return part === null ? settle([pattern, done]) : matches(part, name) ? settle([pattern, done + 1]) : [];
	});

/** Of one file or folder a place is reached in many ways. */
export const distinct = (places: readonly Place[]): Place[] =>
	places.filter(([pattern, done], index) => places.findIndex(other => other[0] === pattern && other[1] === done) === index);

export const isEnd = ([pattern, done]: Place): boolean => pattern.slice(done).every(part => part === null);
