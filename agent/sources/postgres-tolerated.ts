/** Errors of pg_restore that do no harm: a written list, and nothing else. docs/restore.md has the same list. */

interface Tolerable {
	what: string;
	/** Only in points that have this extension. Absent: in all. */
	extension?: string;
	/** The entry of the archive's table of contents, as pg_restore names it: catalogue, object, kind, name, owner. */
	entry: RegExp;
	/** What the server said. */
	error: RegExp;
}

const list: readonly Tolerable[] = [
	{
		what: 'the comment on an extension was not set: the extension is not of this role',
		entry: /^0 0 COMMENT EXTENSION /,
		error: /^could not execute query: ERROR: {2}must be owner of extension /,
	},
	{
		what: 'a schema was there already: the extension timescaledb had made it',
		extension: 'timescaledb',
		entry: /^2615 \d+ SCHEMA (?:_timescaledb_\w+|timescaledb_(?:information|experimental)) /,
		error: /^could not execute query: ERROR: {2}schema "\w+" already exists$/,
	},
	{
		what: 'a schema was there already: the extension promscale had made it',
		extension: 'promscale',
		entry:
			/^2615 \d+ SCHEMA (?:_prom_(?:catalog|ext)|_ps_(?:catalog|trace)|ps_(?:tag|trace)|prom_(?:api|data(?:_exemplar|_series)?|info|metric|series)) /,
		error: /^could not execute query: ERROR: {2}schema "\w+" already exists$/,
	},
];

export interface Complaints {
	/** One line that pg_restore printed. False: an error that is not tolerated, and what it said of it is known. */
	read: (line: string) => boolean;
	/** Whether the exit code says no more than what was tolerated. */
	explain: (exitCode: number) => boolean;
	/** How often each was tolerated. */
	tolerated: () => ReadonlyMap<string, number>;
	/** The error that is not tolerated, or the last lines. */
	failure: () => string;
}

/** How many lines of an error that is not tolerated are kept: what the server said, its details and the statement. */
const failureLines = 4;

/**
 * Reads what pg_restore prints, in English, while it goes on after errors:
 *
 *     pg_restore: while PROCESSING TOC:
 *     pg_restore: from TOC entry 6; 2615 16390 SCHEMA prom_data postgres
 *     pg_restore: error: could not execute query: ERROR:  schema "prom_data" already exists
 *     Command was: CREATE SCHEMA prom_data;
 *     pg_restore: warning: errors ignored on restore: 1
 */
export function createComplaints(extensions: Readonly<Record<string, string>>): Complaints {
	const rules = list.filter(({extension}) => extension === undefined || Object.hasOwn(extensions, extension));
	const tolerated = new Map<string, number>();
	const last: string[] = [];
	const failure: string[] = [];
	let entry = '';
	let ignored = 0;

	const tolerate = (error: string): boolean => {
		const rule = rules.find(candidate => candidate.entry.test(entry) && candidate.error.test(error));
		if (rule !== undefined) {
			tolerated.set(rule.what, (tolerated.get(rule.what) ?? 0) + 1);
		}

		return rule !== undefined;
	};

	return {
		read(line) {
			if (line.trim() === '') {
				return true;
			}

			last.splice(0, last.length - failureLines + 1);
			last.push(line);
			if (failure.length > 0) {
				failure.push(line);
				return failure.length < failureLines;
			}

			const [, what, subject = ''] =
				/^pg_restore: (while |from TOC entry \d+; |error: |warning: errors ignored on restore: )(.*)$/.exec(line) ?? [];
			if (what === 'while ') {
				entry = '';
			} else if (what === 'error: ' && !tolerate(subject)) {
				failure.push(...(entry === '' ? [] : [`of ${entry.trim()}`]), subject);
			} else if (what?.startsWith('from ')) {
				entry = subject;
			} else if (what?.startsWith('warning: ')) {
				ignored = Number(subject);
			}

			return true;
		},
		explain(exitCode) {
			const count = [...tolerated.values()].reduce((sum, times) => sum + times, 0);
			return failure.length === 0 && (exitCode === 0 ? count === 0 : exitCode === 1 && count > 0 && ignored === count);
		},
		tolerated: () => tolerated,
		failure: () => (failure.length > 0 ? failure : last).join('\n'),
	};
}
