/** Text for a terminal. Names come from labels, and labels are hostile: what is not printable is shown, never sent. */

import {styleText} from 'node:util';
import {printable, unprintable} from '../../base/printable.ts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

export interface Styled {
	style: Style;
	text: string;
}

/** Anything that is printed; never trusted. */
export type Text = string | number | Styled;

/** JSON on one line, that no terminal obeys either. */
export function printableJson(value: unknown): string {
	return JSON.stringify(value).replace(unprintable, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export const styled = (style: Style, text: string | number): Styled => ({style, text: String(text)});

/** What of it is seen, without its colour. */
export const plain = (text: Text): string => printable(typeof text === 'object' ? text.text : String(text));

/** @param shown a part of it, made printable; all of it, where nothing is said */
export function paint(text: Text, {colour, shown = plain(text)}: {colour: boolean; shown?: string}): string {
	return colour && typeof text === 'object' ? styleText(text.style, shown, {validateStream: false}) : shown;
}

/** As a tagged template: the literal parts are ours, every value is made printable. */
export const render = ({colour}: {colour: boolean}, literal: TemplateStringsArray, values: readonly Text[]): string =>
	literal.map((part, index) => part + (index < values.length ? paint(values[index] as Text, {colour}) : '')).join('');

const wide =
	/^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const combining = /^\p{M}$/u;

/** Columns that it takes on a terminal. */
export function width(text: string): number {
	let columns = 0;
	for (const character of text) {
		columns += wide.test(character) ? 2 : combining.test(character) ? 0 : 1;
	}

	return columns;
}

/** The longest beginning that fits. */
export function head(text: string, columns: number): string {
	let taken = '';
	let left = columns;
	for (const character of text) {
		left -= width(character);
		if (left < 0) {
			break;
		}

		taken += character;
	}

	return taken;
}

/** Cut to fit, and seen to be cut. */
export const cut = (text: string, columns: number): string => (width(text) <= columns ? text : `${head(text, columns - 1)}…`);
