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

/** What failed for want of what comes behind it, or is elsewhere: done once more when everything is loaded. */
export interface Postponed {
	/** `content`: of a materialized view. `foreign key`: rows that it does not hold for. */
	what: 'content' | 'foreign key';
	/** Without its semicolon. */
	statement: string;
	/** What the server said. */
	why: string;
}

const postponable: ReadonlyArray<Pick<Postponed, 'what'> & {error: RegExp; statement: RegExp}> = [
	{what: 'content', error: /^could not execute query: /, statement: /^REFRESH MATERIALIZED VIEW [^;]+;$/},
	{
		what: 'foreign key',
		error: /^could not execute query: .* violates foreign key constraint /,
		statement: /^ALTER TABLE (?:ONLY )?\S[^;]*\s+ADD CONSTRAINT [^;]* FOREIGN KEY [^;]+;$/,
	},
];

export interface Complaints {
	/** One line that pg_restore printed. False: there was an error that is not tolerated, and what it says of it is known. */
	read: (line: string) => boolean;
	/** Whether the exit code says no more than what was tolerated. */
	explain: (exitCode: number) => boolean;
	/** How often each was tolerated. */
	tolerated: () => ReadonlyMap<string, number>;
	/** In the order in which they failed. */
	postponed: () => readonly Postponed[];
	/** The error that is not tolerated, or the last lines. */
	failure: () => string;
}

/** How many lines of an error that is not tolerated are kept: what the server said, its details and the statement. */
const failureLines = 4;

/** How many lines are read for the end of a statement that may be postponed: before it there are what the server said, its details, hints and context. */
const statementLines = 40;

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
	const postponed: Postponed[] = [];
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

	/** Undefined: whether it may be is not known before more is read. */
	const isPostponed = (): boolean | undefined => {
		const begin = error.findIndex(line => line.startsWith('Command was: '));
		const [why = ''] = error;
		if (begin < 0) {
			return postponable.some(candidate => candidate.error.test(why)) && error.length < statementLines ? undefined : false;
		}

		const statement = error.slice(begin).join('\n').slice('Command was: '.length);
		const isBegun = /^(?:REFRESH MATERIALIZED VIEW|ALTER TABLE) /.test(statement);
		if (isBegun && !statement.endsWith(';') && error.length < statementLines) {
			return undefined;
		}

		const found = postponable.find(candidate => candidate.error.test(why) && candidate.statement.test(statement));
		if (found !== undefined) {
			postponed.push({what: found.what, statement: statement.slice(0, -1), why: why.replace(/^could not execute query: /, '')});
		}

		return found !== undefined;
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
				if (error.length === 2 && isTolerated()) {
					error = [];
					return true;
				}

				const isLater = isPostponed();
				error = isLater === true ? [] : error;
				return isLater !== false || error.length < failureLines;
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
			const count = [...tolerated.values()].reduce((sum, times) => sum + times, postponed.length);
			return error.length === 0 && (exitCode === 0 ? count === 0 : exitCode === 1 && count > 0 && ignored === count);
		},
		tolerated: () => tolerated,
		postponed: () => postponed,
		failure: () => unspoken((error.length > 0 ? error.slice(0, failureLines) : last).join('\n')),
	};
}
