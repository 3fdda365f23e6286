/** While a person waits for one answer that may take minutes: what is done, and for how long already. */
import {duration} from '../../base/units.ts';
import type {Output} from './output.ts';
import {cut} from './text.ts';

const drawMs = 1000;

/** What is answered sooner needs no word. */
const soonMs = 3000;

/** Where there is no terminal, lines stay. */
const plainMs = 10_000;

/** On a terminal a line that goes when the answer is there. */
export async function meanwhile<Answer>(output: Output, doing: string, answer: Promise<Answer>): Promise<Answer> {
	const begun = Date.now();
	let drawn = false;
	const timer = setInterval(
		() => {
			const sinceMs = Date.now() - begun;
			const line = `${doing}: ${duration(sinceMs / 1000)}`;
			if (sinceMs < soonMs) {
				return;
			}

			if (output.isTTY) {
				output.raw(`\r\u001B[K${cut(line, output.columns() - 1)}`);
				drawn = true;
			} else {
				output.line`${line}`;
			}
		},
		output.isTTY ? drawMs : plainMs,
	);
	try {
		return await answer;
	} finally {
		clearInterval(timer);
		if (drawn) {
			output.raw('\r\u001B[K');
		}
	}
}
