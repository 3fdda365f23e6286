/** Errors of pg_restore that do no harm: a written list, and nothing else. docs/restore.md has the same list. */

import {unspoken} from './unspoken.ts';

interface Tolerable {
	what: string;
	/** Only in points that have this extension. Absent: in all. */
	extension?: string;
	/** What the server said. */
	error: RegExp;
	/** To which statement. */
	statement: RegExp;
}

const schemaExists = /^could not execute query: ERROR: {2}schema "\w+" already exists$/;

const list: readonly Tolerable[] = [
	{
		what: 'the comment on an extension was not set: the extension is not of this role',
		// In whatever language: only a superuser has the server speak English.
		error: /^could not execute query: \S+ {2}/,
		statement: /^COMMENT ON EXTENSION /,
	},
	{
		what: 'a schema was there already: the extension timescaledb had made it',
		extension: 'timescaledb',
		error: schemaExists,
		statement: /^CREATE SCHEMA (?:_timescaledb_\w+|timescaledb_(?:information|experimental));$/,
	},
	{
		what: 'a schema was there already: the extension promscale had made it',
		extension: 'promscale',
		error: schemaExists,
		statement:
			/^CREATE SCHEMA (?:_prom_(?:catalog|ext)|_ps_(?:catalog|trace)|ps_(?:tag|trace)|prom_(?:api|data(?:_exemplar|_series)?|info|metric|series));$/,
	},
];

export interface Complaints {
	/** One line that pg_restore printed. False: there was an error that is not tolerated, and what it says of it is known. */
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
 * Reads what pg_restore prints, in English, while it goes on after errors. It prints nothing else: with `--verbose` it would print names, too, and
 * those may look like anything.
 *
 *     pg_restore: error: could not execute query: ERROR:  schema "prom_data" already exists
 *     Command was: CREATE SCHEMA prom_data;
 *
 *     pg_restore: warning: errors ignored on restore: 1
 */
export function createComplaints(extensions: Readonly<Record<string, string>>): Complaints {
	const rules = list.filter(({extension}) => extension === undefined || Object.hasOwn(extensions, extension));
	const tolerated = new Map<string, number>();
	const last: string[] = [];
	/** The error that is being read, with what was said of it so far; it stays where it is not tolerated. */
	let error: string[] = [];
	let ignored = 0;

	const isTolerated = (): boolean => {
		const [message = '', statement = ''] = error;
		const command = /^Command was: (.*)$/.exec(statement)?.[1] ?? '';
		const rule = rules.find(candidate => candidate.error.test(message) && candidate.statement.test(command));
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
			if (error.length > 0) {
				error.push(line);
				error = error.length === 2 && isTolerated() ? [] : error;
				return error.length < failureLines;
			}

			const [, what, rest = ''] = /^pg_restore: (error: |warning: errors ignored on restore: )(.*)$/.exec(line) ?? [];
			if (what === 'error: ') {
				error = [rest];
			} else if (what !== undefined) {
				ignored = Number(rest);
			}

			return true;
		},
		explain(exitCode) {
			const count = [...tolerated.values()].reduce((sum, times) => sum + times, 0);
			return error.length === 0 && (exitCode === 0 ? count === 0 : exitCode === 1 && count > 0 && ignored === count);
		},
		tolerated: () => tolerated,
		failure: () => unspoken((error.length > 0 ? error : last).join('\n')),
	};
}
