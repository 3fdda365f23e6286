/** What the bot notes at an agent, to know it again after a restart. The agent keeps it as a text: another version may have written it, or whoever has its token. */
import * as z from 'zod';
import type {Host} from './fleet.ts';

const posted = z.object({channel: z.string(), ts: z.string()});

/** Of a run that is shown while it goes on. */
export const shownRun = z.object({posted, approvers: z.array(z.string())});

/** Of what failed, and is told until it is well again. */
export const openIncident = z.object({version: z.string(), what: z.string(), target: z.string(), posted: posted.optional()});

export type ShownRun = z.infer<typeof shownRun>;
export type OpenIncident = z.infer<typeof openIncident>;

/** Each of a sort, by what follows the sort in its name. One that cannot be read is left out, and left where it is: who wrote it may read it. */
export async function notesOf<Note>(
	{client}: Pick<Host, 'client'>,
	prefix: string,
	{schema, onUnreadable}: {schema: z.ZodType<Note>; onUnreadable: (name: string) => void},
): Promise<Map<string, Note>> {
	const found = new Map<string, Note>();
	for (const [name, text] of Object.entries(await client.notes())) {
		if (name.startsWith(prefix)) {
			const {data} = schema.safeParse(jsonOf(text));
			if (data === undefined) {
				onUnreadable(name);
			} else {
				found.set(name.slice(prefix.length), data);
			}
		}
	}

	return found;
}

function jsonOf(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
