/** Where a command prints. Everything goes through templates or tables, so nothing unprintable reaches a terminal. */
import type {Writable} from 'node:stream';
import {type Column, table} from './table.ts';
import {printableJson, render, type Text} from './text.ts';

/** A stream that may be a terminal; `process.stdout` is one. */
export type OutputStream = Writable & {isTTY?: boolean | undefined; columns?: number | undefined};

export interface Output {
	readonly isTTY: boolean;
	/** `Infinity` where there is no terminal: lines stay whole for grep. */
	readonly columns: () => number;
	/** Prints a line. */
	line: (literal: TemplateStringsArray, ...values: Text[]) => void;
	table: (columns: readonly Column[], rows: ReadonlyArray<readonly Text[]>) => void;
	/** One line of JSON. */
	json: (value: unknown) => void;
	/** As it is: only for what was rendered before, and for moving the cursor. */
	raw: (text: string) => void;
	render: (literal: TemplateStringsArray, ...values: Text[]) => string;
	/** For content that is no text. */
	readonly stream: OutputStream;
}

export function createOutput(stream: OutputStream, wanted: {colour: boolean}): Output {
	const isTTY = stream.isTTY === true;
	const colour = wanted.colour && isTTY;
	const columns = () => (isTTY ? (stream.columns ?? 80) : Number.POSITIVE_INFINITY);
	// `holdfast points | head` closes the pipe early; that is no failure of ours.
	stream.on('error', (error: NodeJS.ErrnoException) => {
		if (error.code !== 'EPIPE') {
			throw error;
		}
	});
	const raw = (text: string): void => {
		stream.write(text);
	};
	return {
		stream,
		isTTY,
		columns,
		raw,
		line: (literal, ...values) => raw(`${render({colour}, literal, values)}\n`),
		table: (header, rows) => raw(`${table({columns: header, rows, width: columns(), colour}).join('\n')}\n`),
		json: value => raw(`${printableJson(value)}\n`),
		render: (literal, ...values) => render({colour}, literal, values),
	};
}
