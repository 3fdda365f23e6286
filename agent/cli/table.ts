/** Rows under titles that fit a terminal: what does not fit is wrapped, so nothing is lost. */
import {head, paint, plain, type Text, width} from './text.ts';

export interface Column {
	title: string;
	align?: 'right';
	/** May become narrower than its content, down to this many columns; the others never do. */
	wrap?: number;
}

export interface TableOptions {
	columns: readonly Column[];
	rows: ReadonlyArray<readonly Text[]>;
	/** Columns of the terminal; `Infinity` where there is none. */
	width: number;
	colour: boolean;
}

const gap = '  ';

/** Lines without their ends. */
export function table({columns, rows, width: available, colour}: TableOptions): string[] {
	const titles: Text[] = columns.map(({title}) => ({style: 'bold', text: title}));
	const all = [titles, ...rows];
	const natural = columns.map((_, index) => Math.max(...all.map(row => width(plain(row[index] ?? '')))));
	const widths = shrink(natural, columns, available - gap.length * (columns.length - 1));
	return all.flatMap(row => lines(row, {columns, widths, colour}));
}

/** Takes from the widest column that may wrap, until all fit or none can give more. */
function shrink(natural: readonly number[], columns: readonly Column[], available: number): number[] {
	const widths = [...natural];
	let excess = widths.reduce((sum, columnWidth) => sum + columnWidth, 0) - available;
	const slack = (index: number): boolean => (widths[index] as number) > (columns[index]?.wrap ?? Number.POSITIVE_INFINITY);
	while (excess > 0) {
		const candidates = [...widths.keys()].filter(slack);
		if (candidates.length === 0) {
			break;
		}

		const widest = candidates.reduce((best, index) => ((widths[index] as number) > (widths[best] as number) ? index : best));
		widths[widest] = (widths[widest] as number) - 1;
		excess--;
	}

	return widths;
}

interface Layout extends Pick<TableOptions, 'columns' | 'colour'> {
	widths: readonly number[];
}

function lines(row: readonly Text[], {columns, widths, colour}: Layout): string[] {
	const cells = columns.map((_, index) => wrap(plain(row[index] ?? ''), widths[index] as number));
	const height = Math.max(...cells.map(cell => cell.length));
	return Array.from({length: height}, (_, line) =>
		columns
			.map(({align}, index) => {
				const shown = cells[index]?.[line] ?? '';
				const padding = ' '.repeat(Math.max(0, (widths[index] as number) - width(shown)));
				const painted = paint(row[index] ?? '', {colour, shown});
				return align === 'right' ? padding + painted : painted + padding;
			})
			.join(gap)
			.trimEnd(),
	);
}

/** At spaces where it can be, within a word where it must be: after one of `,/:-` if there is one. */
export function wrap(text: string, columns: number): string[] {
	const wrapped: string[] = [];
	let line = '';
	for (const word of text.split(' ')) {
		const longer = line === '' ? word : `${line} ${word}`;
		if (width(longer) <= columns) {
			line = longer;
			continue;
		}

		if (line !== '') {
			wrapped.push(line);
		}

		line = word;
		while (width(line) > columns) {
			const part = breakable(head(line, columns)) || (line[0] as string);
			wrapped.push(part);
			line = line.slice(part.length);
		}
	}

	return [...wrapped, line];
}

function breakable(text: string): string {
	const end = Math.max(...[...',/:-'].map(mark => text.lastIndexOf(mark))) + 1;
	return text.slice(0, end) || text;
}
