/** How long each file takes: what was measured here last, else what is known of other machines. */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {partOf, top} from './files.ts';

/** Seconds by file. */
export type Durations = Record<string, number>;

const measuredFile = `${top}.cache/durations.json`;

const read = (file: string | URL): Durations => {
	try {
		return JSON.parse(readFileSync(file, 'utf8')) as Durations;
	} catch {
		return {};
	}
};

/** Of a machine with two cores, measured when the file was green; rounded. Only what stands here is run by day, or drawn for a commit. */
export const known = (): Durations => read(new URL('durations.json', import.meta.url));

export const measured = (): Durations => read(measuredFile);

/** A file of which nothing is known yet. Pure. */
export const guess = (file: string): number => ({unit: 1, engine: 45, night: 180})[partOf(file)];

/** Those that were measured before, and are not now, stay. */
export const remember = (durations: Durations): void => {
	mkdirSync(`${top}.cache`, {recursive: true});
	const all = Object.entries({...measured(), ...durations}).sort(([one], [other]) => one.localeCompare(other));
	writeFileSync(measuredFile, `${JSON.stringify(Object.fromEntries(all), undefined, '\t')}\n`);
};

/** Pure. */
export const slowest = (durations: Durations, count: number): Array<[file: string, seconds: number]> =>
	Object.entries(durations)
		.toSorted(([, one], [, other]) => other - one)
		.slice(0, count);
