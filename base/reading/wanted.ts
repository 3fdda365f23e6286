/** Of which ends of runs people are told: `failed`, or for one operation `drill:success`. */
import type {Operation, Outcome} from '../results.ts';
import type {Reader} from './reader.ts';

export type NotifyWord = Outcome | `${Operation}:${Outcome}`;

const operations: readonly Operation[] = ['backup', 'restore', 'drill', 'copy', 'prune', 'check', 'import'];
const outcomes: readonly Outcome[] = ['success', 'partial', 'failed'];

export const readWanted: Reader<NotifyWord> = text => {
	const words: readonly NotifyWord[] = [
		...outcomes,
		...operations.flatMap(operation => outcomes.map((outcome): NotifyWord => `${operation}:${outcome}`)),
	];
	const word = words.find(candidate => candidate === text);
	return word === undefined
		? {rule: 'must be outcomes (`success`, `partial`, `failed`), each for all operations or for one of them, as `drill:success`'}
		: {value: word};
};

export const isWanted = (words: readonly NotifyWord[], operation: Operation, outcome: Outcome): boolean =>
	words.includes(outcome) || words.includes(`${operation}:${outcome}`);
