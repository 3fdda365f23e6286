/** Schemas over what a file holds, whose leaves are read as labels and variables are; and their mistakes, worded for people. */
import * as z from 'zod';
import {nearest} from './nearest.ts';
import {quote} from './quote.ts';
import type {Reader} from './reader.ts';

/** One mistake: where it is, as `copies.nas.keep`, and the rule that it breaks. */
export interface Mistake {
	key: string;
	/** Completes the key: `must be …, got "…"`. Holds no secret. */
	rule: string;
	hint?: string | undefined;
}

/** A leaf: a text that a reader takes. `secret` keeps it out of the message. */
export const text = <Value>(reader: Reader<Value>, {secret = false} = {}) =>
	z.string().transform((value, context): Value => {
		const read = reader(value);
		if ('value' in read) {
			return read.value;
		}

		const got = secret ? '; its value is not shown here' : `, got ${quote(read.got ?? value)}`;
		context.addIssue({code: 'custom', message: `${read.rule}${got}`});
		return z.NEVER;
	});

/** A mapping from names that a reader takes. */
export const named = <Value extends z.ZodType>(reader: Reader<string>, value: Value) => z.record(text(reader), value);

/** Every mistake at once; none when the value fits. */
export function mistakesOf(schema: z.ZodType, value: unknown, error: z.ZodError): Mistake[] {
	return error.issues.flatMap((issue): Mistake[] => {
		const key = issue.path.join('.');
		if (issue.code === 'unrecognized_keys') {
			const known = keysOf(schemaAt(schema, issue.path));
			return issue.keys.map(unknown => unknownKey([...issue.path, unknown].join('.'), unknown, known));
		}

		if (issue.code === 'invalid_key') {
			return issue.issues.map(({message}) => ({key, rule: `is not a name: it ${message}`}));
		}

		return [
			{key: key || 'the file', rule: issue.code === 'invalid_type' ? ruleOf(issue.expected, valueAt(value, issue.path)) : issue.message},
		];
	});
}

function unknownKey(key: string, word: string, known: readonly string[]): Mistake {
	const meant = known.length === 0 ? undefined : nearest(word, known);
	return {key, rule: 'is not known', hint: meant === undefined ? `known here: ${known.join(', ')}` : `did you mean \`${meant}\`?`};
}

const expectations: Readonly<Record<string, string>> = {
	object: 'must be a mapping of keys to values',
	record: 'must be a mapping of keys to values',
	array: 'must be a list',
	string: 'must be one text, not a list or a mapping',
};

const ruleOf = (expected: string, value: unknown): string =>
	value === undefined ? 'is missing' : (expectations[expected] ?? `must be of type ${expected}`);

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
	path.reduce<unknown>((current, key) => (current as Record<PropertyKey, unknown> | undefined)?.[key], value);

/** The schema of what lies at a path: through mappings, lists, and what is optional. */
function schemaAt(schema: unknown, path: readonly PropertyKey[]): unknown {
	const inner = withoutWrapping(schema);
	const [key, ...rest] = path;
	if (key === undefined) {
		return inner;
	}

	if (inner instanceof z.ZodObject) {
		return schemaAt(inner.shape[key as string], rest);
	}

	return inner instanceof z.ZodRecord
		? schemaAt(inner.valueType, rest)
		: inner instanceof z.ZodArray
			? schemaAt(inner.element, rest)
			: inner;
}

const withoutWrapping = (schema: unknown): unknown =>
	schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable
		? withoutWrapping(schema.unwrap())
		: schema;

const keysOf = (schema: unknown): string[] => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : []);
