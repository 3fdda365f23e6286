/** What the API accepts, and the one way of refusing the rest. */
import * as z from 'zod';
import {UsageError} from '../../base/errors.ts';
import {dialectNames} from '../../base/reading/values.ts';

/** Bytes of a request's body. */
export const bodyLimit = 64 * 1024;

const target = z.string().min(1).max(300);
const trigger = z
	.string()
	.max(100)
	.regex(/^(api|cli|slack:[\w.-]+)$/, 'must be `api`, `cli` or `slack:<user>`')
	.default('api');

/** Stopped for the backup, whatever the labels say of quiescing. */
const cold = z.literal(true).optional();
const copyName = z.string().min(1).max(100);
const hostName = z.string().min(1).max(300);

export const backupRequest = z.union([
	z.strictObject({targets: z.array(target).min(1).max(1000), cold, trigger}),
	z.strictObject({all: z.literal(true), cold, trigger}),
]);

export const copyRequest = z.union([
	z.strictObject({copies: z.array(copyName).min(1).max(100), trigger}),
	z.strictObject({all: z.literal(true), trigger}),
]);

export const restoreRequest = z.strictObject({
	target,
	/** Ids of a project's points are joined. */
	point: z.string().min(1).max(20_000).default('latest'),
	only: z.array(z.string().min(1).max(5000)).max(1000).default([]),
	into: z.string().min(1).max(300).optional(),
	forceTarget: z.boolean().optional(),
	skipDrillSql: z.boolean().optional(),
	acknowledged: z.union([z.boolean(), z.array(z.string().max(100)).max(1000)]).optional(),
	from: copyName.optional(),
	fromHost: hostName.optional(),
	fromTarget: target.optional(),
	trigger,
});

export const drillRequest = z.union([
	z.strictObject({target, point: z.string().min(1).max(100).default('latest'), from: copyName.optional(), trigger}),
	z.strictObject({all: z.literal(true), trigger}),
]);

export const settleRequest = z.strictObject({run: z.string().min(1).max(100), trigger});
export const finishRequest = z.strictObject({run: z.string().min(1).max(100), force: z.boolean().default(false), trigger});

export const pruneRequest = z.strictObject({trigger});
export const checkRequest = z.strictObject({
	trigger,
	readData: z
		.string()
		.regex(/^(all|[1-9]\d{0,2}\/[1-9]\d{0,2})$/, 'must be `all`, `n/N` or null')
		.refine(isPart, 'must be `n/N` with n from 1 to N and N at most 256')
		.nullable()
		.default(null),
});
export const adoptRequest = z.strictObject({agent: hostName, force: z.boolean().default(false)});
export const moveRequest = z.strictObject({from: target, to: target});
export const keepRequest = z.strictObject({trigger});

export const acceptRequest = z.strictObject({target});
export const noFields = z.strictObject({});
const only = z.array(z.string().min(1).max(5000)).max(1000).default([]);
export const exportQuery = z.strictObject({target, point: z.string().min(1).max(100).default('latest'), only});
const within = {target, point: z.string().min(1).max(100).default('latest'), from: copyName.optional(), fromHost: hostName.optional()};
const path = z.string().min(1).max(10_000);
const yes = z
	.enum(['true', 'false'])
	.default('false')
	.transform(text => text === 'true');
/** How many entries are told, where nobody says it, and at most: they are in memory as a whole. */
const limit = z.coerce.number().int().min(1).max(100_000).default(10_000);
export const listQuery = z.strictObject({...within, path: path.optional(), recursive: yes, limit});
export const dumpQuery = z.strictObject({...within, path});
export const findQuery = z.strictObject({pattern: path, ignoreCase: yes, target: target.optional(), from: copyName.optional(), limit});
const pointId = z.string().min(1).max(100);
export const diffQuery = z.strictObject({old: pointId, new: pointId, from: copyName.optional(), limit});
/** `file`: what the person calls it; it is shown, and recorded in the point. */
export const importQuery = z.strictObject({target, file: z.string().min(1).max(300).default('archive'), only, trigger});

export const planQuery = z.object({target: target.optional()});
export const pointsQuery = z.object({target: target.optional(), from: copyName.optional()});
export const foreignQuery = z.object({from: copyName.optional()});
export const labelsQuery = z.object({project: z.string().min(1).max(200), from: z.enum(dialectNames).optional()});
export const runsQuery = z.object({target: target.optional(), limit: z.coerce.number().int().min(1).max(1000).default(100)});
export const runParameter = z.string().min(1).max(100);

const line = z.string().max(1000);
export const auditRequest = z.strictObject({
	who: z
		.string()
		.regex(/^slack:[\w.-]+\/[\w.-]+$/, 'must be `slack:<team>/<user>`')
		.max(100),
	place: line,
	action: z.string().regex(/^[a-z-]{1,30}$/, 'must be a word'),
	subject: line,
	decision: z.enum(['allowed', 'refused']),
	reason: line.optional(),
	reference: z.string().min(8).max(100).optional(),
});
export const auditOutcome = z.strictObject({run: z.string().min(1).max(100).optional(), outcome: line.optional()});
export const auditQuery = z.object({subject: line.optional(), limit: z.coerce.number().int().min(1).max(1000).default(100)});
export const auditParameter = z.coerce.number().int().min(1);
export const noteRequest = z.strictObject({key: z.string().min(1).max(1000), note: z.string().max(10_000).nullable()});

/** Where one of several shapes is asked for, what is wrong with the one that is meant: that with the fewest faults. */
function nearest(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
	const [meant] = issue.code === 'invalid_union' ? issue.errors.toSorted((a, b) => a.length - b.length) : [];
	return meant === undefined ? [issue] : meant.map(each => ({...each, path: [...issue.path, ...each.path]}));
}

/** @throws {UsageError} that names each field that is wrong. */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
	const {data, error} = schema.safeParse(value);
	if (error) {
		const wrong = error.issues.flatMap(nearest);
		throw new UsageError(
			`the request is not valid: ${wrong.map(({path, message}) => `${path.join('.') || 'body'}: ${message}`).join('; ')}`,
		);
	}

	return data as z.output<Schema>;
}

/** @throws {UsageError} */
export async function json(request: {text: () => Promise<string>}): Promise<unknown> {
	const body = await request.text();
	try {
		return JSON.parse(body);
	} catch (error) {
		throw new UsageError('the request is not valid: its body must be JSON', {cause: error});
	}
}

function isPart(text: string): boolean {
	const [part = 1, of = 1] = text.split('/').map(Number);
	return text === 'all' || (part <= of && of <= 256);
}
