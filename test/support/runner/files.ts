/** Which tests there are, and what each file does to the machine. */
import {readdirSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {familyOf, type Turn} from './turns.ts';

export const top = fileURLToPath(new URL('../../../', import.meta.url));

export type Part = 'unit' | 'engine' | 'night';

/**
 * `rests`: little but patience with deadlines of the product; it counts as half of one that waits. `waits`: mostly patience, three at a time (four were seen to starve one another). `works`: two at a time. `measures`: alone on the machine, after all others, because it judges time or
 * memory.
 */
export const lanes = ['rests', 'waits', 'works', 'measures'] as const;
export type Lane = (typeof lanes)[number];

/** By its name alone, wherever it lies. */
export const partOf = (file: string): Part =>
	file.endsWith('.engine.test.ts') ? 'engine' : file.endsWith('.night.test.ts') ? 'night' : 'unit';

/**
 * `Lane: waits.` in the comment that a file begins with; none means `works`. Pure.
 * @throws where it names a lane that is none: it would run in another one unseen
 */
export const laneOf = (file: string, text: string): Lane => {
	const [comment = ''] = /^\/\*\*.*?\*\//s.exec(text) ?? [];
	const [, named = 'works'] = /\bLane: (\w+)/.exec(comment) ?? [];
	const lane = lanes.find(each => each === named);
	if (lane === undefined) {
		throw new Error(`${file}: \`Lane: ${named}\` is none of ${lanes.join(', ')}`);
	}

	return lane;
};

export const readLane = (file: string): Lane => laneOf(file, readFileSync(`${top}${file}`, 'utf8'));

export const readTurn = (file: string): Turn => ({file, family: familyOf(readFileSync(`${top}${file}`, 'utf8'))});

/** All test files, from the top of the repository. */
export const testFiles = (): string[] =>
	readdirSync(`${top}test`, {recursive: true, encoding: 'utf8'})
		.filter(file => file.endsWith('.test.ts'))
		.map(file => `test/${file}`)
		.sort();
