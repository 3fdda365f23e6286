/** Whether what is written fits, asked before anything is touched: what several sources write to one file system, together. */
import {type Place, succeed} from '../../base/command.ts';
import {room} from '../../base/units.ts';

/** What is loaded into the server of a container. */
export interface ServerRoom {
	container: string;
	/** Where the server keeps its data, as its container sees it. */
	folder: string;
	neededBytes: number;
	freeBytes: number;
}

export interface Writing {
	source: string;
	/** As the place sees it. */
	folder: string;
	/** No more than this, as is known at once. */
	atMost: number;
	/** What it really is, where that is known only by comparing all files. What they replace is not counted: it may go only afterwards. */
	exactly?: (() => Promise<number>) | undefined;
}

/** The question for free room. As `df` of POSIX, so that any container can answer it. @returns bytes that are left on the file system of each folder */
export async function freeRoom(place: Place, folders: readonly string[], signal?: AbortSignal): Promise<number[]> {
	const printed = lines(await succeed(place, {argv: ['df', '-P', '-k', '--', ...folders], signal})).slice(1);
	return folders.map((folder, index) => {
		const [, kibibytes] = /\s\d+\s+\d+\s+(-?\d+)\s+(?:\d+%|-)\s/.exec(`${printed[index]} `) ?? [];
		if (kibibytes === undefined) {
			throw new Error(`\`df\` does not say how much room ${folder} has: ${printed[index]}`);
		}

		return Math.max(0, Number(kibibytes) * 1024);
	});
}

/** What the content of a source takes on a disk: the holes of sparse files take nothing. */
export const heldBytes = ({bytes, details}: {bytes: number; details: Readonly<Record<string, unknown>>}): number =>
	bytes - Math.min(bytes, typeof details.holes === 'number' ? details.holes : 0);

/** What is written to one file system, and the bytes that are left on it. */
export interface Share {
	writings: readonly Writing[];
	freeBytes: number;
}

export async function sharesOf(place: Place, writings: readonly Writing[], signal: AbortSignal): Promise<Share[]> {
	if (writings.length === 0) {
		return [];
	}

	const folders = writings.map(({folder}) => folder);
	const [devices, free] = await Promise.all([
		succeed(place, {argv: ['stat', '--format=%d', '--', ...folders], signal}).then(lines),
		freeRoom(place, folders, signal),
	]);
	return [...Map.groupBy(writings, (_, index) => devices[index])].map(([device = '', shares]) => ({
		writings: shares,
		freeBytes: free[devices.indexOf(device)] ?? 0,
	}));
}

/** At most, all together. */
export const mostBytes = ({writings}: Share): number => sum(writings.map(({atMost}) => atMost));

/** @returns what does not fit, with both sizes */
export async function roomProblems(place: Place, writings: readonly Writing[], signal: AbortSignal): Promise<string[]> {
	const problems: string[] = [];
	for (const {writings: shares, freeBytes} of await sharesOf(place, writings, signal)) {
		problems.push(...(await problemOf(shares, freeBytes)));
	}

	return problems;
}

async function problemOf(shares: readonly Writing[], freeBytes: number): Promise<string[]> {
	if (sum(shares.map(({atMost}) => atMost)) <= freeBytes) {
		return [];
	}

	const sizes: number[] = [];
	for (const {atMost, exactly} of shares) {
		sizes.push((await exactly?.()) ?? atMost);
	}

	const names = shares.map(({source}) => `\`${source}\``).join(' and ');
	return sum(sizes) <= freeBytes
		? []
		: [
				`there is too little room for ${names}: ${room(sum(sizes))} are to be written, and ${shares.length === 1 ? 'its' : 'their'} file system has ${room(freeBytes)} left`,
			];
}

const lines = (printed: string): string[] => printed.trim().split('\n');

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
