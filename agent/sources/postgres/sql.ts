/** Names and texts in SQL. Pure. */

/** `"…"`, for SQL. */
export const quoteIdentifier = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** `'…'`, for SQL; backslashes are plain characters there (standard_conforming_strings). */
export const quoteLiteral = (text: string) => `'${text.replaceAll("'", "''")}'`;
