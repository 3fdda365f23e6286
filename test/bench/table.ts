/** Numbers as people read them, in columns. */

export interface Size {
	/** How often each thing is measured; the median counts. */
	rounds: number;
	/** Of the data; 1 is what the issue asks for. */
	scale: number;
}

export interface Row {
	what: string;
	/** What the baseline gave. Empty: there is none, and the aim is absolute. */
	baseline: readonly number[];
	/** What Holdfast gave. */
	holdfast: readonly number[];
	unit: 'ms' | 'bytes';
	/** What is hoped for; for people. */
	aim?: string;
	/** Milliseconds or bytes that Holdfast may need beside the ratio. */
	fixed?: number;
}

/** Of an even number, the lower one of the two in the middle. */
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.ceil(values.length / 2) - 1] ?? Number.NaN;

/** What is left without the start and the end of either, which is what next to nothing takes: how fast the content flows. */
export const flow = (row: Row, ofNothing: Pick<Row, 'baseline' | 'holdfast'>): Row => ({
	...row,
	baseline: [median(row.baseline) - median(ofNothing.baseline)],
	holdfast: [median(row.holdfast) - median(ofNothing.holdfast)],
});

const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

export function formatRow({what, baseline, holdfast, unit, aim = '', fixed = 0}: Row): string[] {
	const show = unit === 'ms' ? seconds : megabytes;
	if (baseline.length === 0) {
		return [what, '', show(median(holdfast)), '', aim];
	}

	const ratio = (median(holdfast) - fixed) / median(baseline);
	const less = fixed === 0 ? '' : ` after ${show(fixed)}`;
	return [what, show(median(baseline)), show(median(holdfast)), `${ratio.toFixed(2)}${less}`, aim];
}

export function formatTable(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
	const all = [head, ...rows];
	const widths = head.map((_, column) => Math.max(...all.map(row => (row[column] ?? '').length)));
	const line = (row: readonly string[]) =>
		row
			.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
			.join('  ')
			.trimEnd();
	return [line(head), widths.map(width => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}
