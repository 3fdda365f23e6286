/** Roles that a database needs and the server no longer has, taken from what `pg_dumpall --globals-only` wrote. */

/** Statements, without comments and psql's own commands. @throws for a backslash outside quotes: psql would act on it */
export function splitStatements(sql: string): string[] {
	const statements: string[] = [];
	let current = '';
	for (const [token] of sql.matchAll(tokens)) {
		if (token === ';') {
			statements.push(current.trim());
			current = '';
		} else if (token.startsWith('\\')) {
			if (current.trim() !== '') {
				throw new Error('the roles of the point hold a psql command within a statement');
			}
		} else if (!token.startsWith('--')) {
			current += token;
		}
	}

	return statements.filter(statement => statement !== '');
}

/** A comment, an identifier, a string with escapes, a string, a command of psql up to its line's end, a separator, or anything else. */
const tokens = /--[^\n]*|"(?:[^"]|"")*"|\b[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|\\[^\n]*|;|[^-"'\\;eE]+|[\s\S]/g;

const identifier = `("(?:[^"]|"")*"|[a-z_][a-z0-9_$]*)`;
const creates = new RegExp(`^CREATE ROLE ${identifier}$`);
const alters = new RegExp(`^ALTER ROLE ${identifier} (?:WITH|SET|IN DATABASE) `);
const grants = new RegExp(`^GRANT ${identifier} TO ${identifier}(?: WITH| GRANTED|$)`);

const nameOf = (text: string): string => (text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text);

/** The role that a statement makes; undefined for every other statement. */
export function nameOfCreated(statement: string): string | undefined {
	const name = creates.exec(statement)?.[1];
	return name === undefined ? undefined : nameOf(name);
}

/** The statements that make the roles which the server lacks. Nothing in them touches a role that is there. */
export function missingRoles(globals: string, existing: ReadonlySet<string>): string[] {
	const statements = splitStatements(globals);
	const created = statements.flatMap(statement => nameOfCreated(statement) ?? []);
	const missing = new Set(created.filter(name => !existing.has(name)));
	const concerns = (statement: string): boolean => {
		const subject = creates.exec(statement)?.[1] ?? alters.exec(statement)?.[1] ?? grants.exec(statement)?.[2];
		return subject !== undefined && missing.has(nameOf(subject));
	};

	// Who granted a membership may be gone; and settings in a database would be those of the old one.
	return statements
		.filter(concerns)
		.filter(statement => !/^ALTER ROLE .* IN DATABASE /s.test(statement))
		.map(statement => (grants.test(statement) ? statement.replace(/ GRANTED BY (?:"(?:[^"]|"")*"|[a-z_][a-z0-9_$]*)$/, '') : statement));
}
