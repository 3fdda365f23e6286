/**
 * Cron lines, checked more strictly than node-schedule does: it takes odd ones silently and answers a bad one with null.
 * What passes here means the same everywhere and comes round again.
 */
import type {Read} from './reader.ts';

const aliases: Readonly<Record<string, string>> = {
	'@hourly': '0 * * * *',
	'@daily': '0 0 * * *',
	'@weekly': '0 0 * * 0',
	'@monthly': '0 0 1 * *',
	'@yearly': '0 0 1 1 *',
};

interface Field {
	name: string;
	first: number;
	last: number;
	/** The first one stands for `first`. */
	names: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const daysInMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const fields: readonly Field[] = [
	{name: 'minute', first: 0, last: 59, names: []},
	{name: 'hour', first: 0, last: 23, names: []},
	{name: 'day of the month', first: 1, last: 31, names: []},
	{name: 'month', first: 1, last: 12, names: months},
	{name: 'day of the week', first: 0, last: 7, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']},
];

/** A cron line, or `false`. */
export const readDrill = (text: string): Read<string> => (text.trim() === 'false' ? {value: 'false'} : readCronLine(text));

/** A line of five fields; an alias becomes the line that it stands for. */
export function readCronLine(text: string): Read<string> {
	const line = text.trim().split(/[ \t]+/);
	const [first = ''] = line;
	if (first.startsWith('@')) {
		const alias = line.length === 1 && Object.hasOwn(aliases, first) ? aliases[first] : undefined;
		return alias === undefined ? {rule: `must be a cron line or one of ${Object.keys(aliases).join(', ')}`} : {value: alias};
	}

	if (line.length !== fields.length) {
		return {
			rule: `must be a cron line of five fields (minute, hour, day, month, weekday; no seconds) and has ${text.trim() === '' ? 0 : line.length}`,
		};
	}

	const values: Array<Set<number>> = [];
	for (const [index, field] of fields.entries()) {
		const read = readField(line[index] ?? '', field);
		if ('rule' in read) {
			return read;
		}

		values.push(read.value);
	}

	return comesRound(values) ? {value: line.join(' ')} : {rule: 'must be a cron line whose day exists in one of its months'};
}

/** All values that the field stands for. */
function readField(text: string, field: Field): Read<Set<number>> {
	const values = new Set<number>();
	const parts = text.split(',');
	for (const part of parts) {
		const range = readPart(part, field);
		if (range === undefined || (parts.length > 1 && part.startsWith('*'))) {
			const names = field.names.length > 0 ? ` or ${field.names[0]}-${field.names.at(-1)}` : '';
			return {
				rule: `must be a cron line: its ${field.name} is a number ${field.first}-${field.last}${names}, a range that goes up, \`*\`, a step of \`*\` or of a range, or a list of numbers and ranges`,
				got: part,
			};
		}

		for (let value = range.first; value <= range.last; value += range.step) {
			values.add(value);
		}
	}

	return {value: values};
}

function readPart(part: string, field: Field): {first: number; last: number; step: number} | undefined {
	const [, from = '', to, stepText] = /^(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/(\d{1,2}))?$/i.exec(part) ?? [];
	const star = from === '*';
	const first = star ? field.first : fieldValue(from, field);
	const last = star ? field.last : to === undefined ? first : fieldValue(to, field);
	const step = stepText === undefined ? 1 : Number(stepText);
	if (first === undefined || last === undefined || first > last || (star && to !== undefined)) {
		return undefined;
	}

	const stepOfNothing = stepText !== undefined && !star && to === undefined;
	return stepOfNothing || step < 1 || step > field.last - field.first ? undefined : {first, last, step};
}

function fieldValue(text: string, {first, last, names}: Field): number | undefined {
	const named = names.indexOf(text.toLowerCase());
	const value = named === -1 ? (/^\d{1,2}$/.test(text) ? Number(text) : Number.NaN) : named + first;
	return value >= first && value <= last ? value : undefined;
}

/** `31 2` never does. With a weekday beside it some parsers take it for that weekday alone, others refuse it. */
function comesRound([, , days, inMonths]: ReadonlyArray<Set<number>>): boolean {
	const earliest = Math.min(...(days ?? []));
	return [...(inMonths ?? [])].some(month => earliest <= (daysInMonth[month - 1] ?? 0));
}
