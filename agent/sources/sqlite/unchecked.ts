/** What of a SQLite database only its application can check: as the programs in the worker tell it, as a manifest keeps it, and in words. */
import * as z from 'zod';

export const unchecked = z.array(z.object({table: z.string(), why: z.string(), rows: z.number().optional()}));

export type Unchecked = z.infer<typeof unchecked>;

const namedAtMost = 3;

/** Completes the name of the database. */
export function describeUnchecked(tables: Unchecked): string {
	const named = tables.slice(0, namedAtMost).map(({table, why}) => `"${table}" (${why})`);
	const others = tables.length > namedAtMost ? ` and ${tables.length - namedAtMost} more` : '';
	return `is whole page by page; that ${named.join(', ')}${others} fit their indexes only its application can check`;
}
