/** What restic prints with `--json`, as far as Holdfast reads it. Everything unknown is ignored: restic adds fields freely. */
import * as z from 'zod';
import type {Key} from './restic.ts';

const status = z.object({
	message_type: z.literal('status'),
	bytes_done: z.number().optional(),
	bytes_restored: z.number().optional(),
	total_bytes: z.number().optional(),
});

const summary = z.object({
	message_type: z.literal('summary'),
	snapshot_id: z.string().optional(),
	total_files: z.number().optional(),
	/** Of a restore: of the files that were not as they should be. */
	total_bytes: z.number().optional(),
	/** Of a restore: files that were as they should be, which `total_files` does not count. */
	files_skipped: z.number().optional(),
	/** Of a restore: entries that were not in the snapshot; missing where there are none. */
	files_deleted: z.number().optional(),
	files_new: z.number().optional(),
	files_changed: z.number().optional(),
	files_unmodified: z.number().optional(),
	total_files_processed: z.number().optional(),
	total_bytes_processed: z.number().optional(),
	data_added: z.number().optional(),
	data_added_packed: z.number().optional(),
	/** In seconds. */
	total_duration: z.number().optional(),
});

/** Of a restore that is told to name each file; `updated`: one that is there. `item`: from the folder that is restored, which is `/`. */
const fileStatus = z.object({
	message_type: z.literal('verbose_status'),
	action: z.string(),
	item: z.string().default(''),
	size: z.number().default(0),
});

/** What restic says without the places in its program that it was at. Its errors carry them, as it prints them at its end or in a panic. */
export const withoutStack = (said: string): string =>
	said
		.replaceAll(/(?:^|\n)(?:goroutine \d+ \[[^\]\n]*\]:(?=\n)|[^\n\t]*\n\t\S+\.(?:go|s):\d+(?: \+0x[\da-f]+)?)/g, '')
		.replaceAll(/(?:Fatal: ){2,}/g, 'Fatal: ');

const said = z.string().transform(withoutStack);

const itemError = z.object({
	message_type: z.literal('error'),
	error: z.object({message: said.optional()}),
	during: z.string().optional(),
	item: z.string().optional(),
});

const exitError = z.object({message_type: z.literal('exit_error'), code: z.number(), message: said});

const text = z.object({message_type: z.literal('text'), text: z.string()});

const message = z.discriminatedUnion('message_type', [status, fileStatus, summary, itemError, exitError]);

export type Status = z.infer<typeof status>;
export type FileStatus = z.infer<typeof fileStatus>;
export type Summary = z.infer<typeof summary>;
export type Message = z.infer<typeof message> | z.infer<typeof text>;

const parsed = (line: string): unknown => {
	try {
		return JSON.parse(line);
	} catch {
		return undefined;
	}
};

/** One line; undefined for a kind of message that is of no interest. A line that is not such JSON is text, kept for errors. */
export function parseMessage(line: string): Message | undefined {
	const value = parsed(line);
	if (typeof value !== 'object' || value === null || !('message_type' in value)) {
		return line.trim() === '' ? undefined : {message_type: 'text', text: line.trim()};
	}

	return message.safeParse(value).data;
}

/** One element of `restic snapshots --json`. */
export const listedSnapshot = z.object({
	id: z.string(),
	time: z.coerce.date(),
	tree: z.string().default(''),
	hostname: z.string().default(''),
	tags: z.array(z.string()).nullish(),
	paths: z.array(z.string()).nullish(),
	summary: z
		.object({
			total_bytes_processed: z.number().optional(),
			data_added: z.number().optional(),
			data_added_packed: z.number().optional(),
		})
		.optional(),
});

const entry = z.object({struct_type: z.literal('node'), path: z.string(), type: z.string(), size: z.number().default(0)});

/** One line of `restic ls --json`; undefined for what is no entry. */
export const parseEntry = (line: string) => entry.safeParse(parsed(line)).data;

const node = z
	.object({path: z.string(), type: z.string(), size: z.number().default(0), mtime: z.string().optional()})
	.transform(({mtime: modified, ...rest}) => ({...rest, modified}));

/** One line of `restic ls --json` with all that is shown of it; undefined for what is no entry. */
export function parseNode(line: string) {
	const value = parsed(line);
	return entry.safeParse(value).success ? node.safeParse(value).data : undefined;
}

/** One element of `restic find --json`. */
export const searched = z.object({snapshot: z.string(), matches: z.array(node).nullish()});

const change = z.object({message_type: z.literal('change'), path: z.string(), modifier: z.string()});

/** One line of `restic diff --json`; undefined for what is no change. */
export const parseChange = (line: string) => change.safeParse(parsed(line)).data;

/** One line of `restic ls --json`; the first is about the snapshot itself. */
export const listedNode = z.object({path: z.string().optional(), size: z.number().optional(), type: z.string().optional()});

/** `restic cat lock ID`. */
export const lockContent = z.object({
	time: z.coerce.date(),
	exclusive: z.boolean().default(false),
	hostname: z.string().default(''),
	pid: z.number().default(0),
	username: z.string().default(''),
});

/** `restic cat config`. */
export const configContent = z.object({id: z.string().min(1)});

/** `restic key list --json`: times as the `TZ` of restic has them, which is UTC. */
export const keyList = z.array(
	z
		.object({id: z.string().regex(/^[0-9a-f]{8,64}$/), current: z.boolean(), created: z.string()})
		.transform(({id, current, created}): Key => ({id, isCurrent: current, created: new Date(`${created.replace(' ', 'T')}Z`)})),
);

/** `restic version --json`. */
export const versionContent = z.object({version: z.string()});

/** `restic stats --mode=raw-data --json`. */
export const statsContent = z.object({total_size: z.number()});
