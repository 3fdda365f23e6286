/** Text that somebody else wrote, made fit for a message. */

const shownCharacters = 100;

/** DEL and C1 controls, zero-width and direction marks, line and paragraph separators, invisible operators, the byte order mark. */
const invisible = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** In JSON quotes, with nothing in it that a terminal or a chat would act on; at most 100 characters of the text. */
export function quote(text: string): string {
	const characters = Array.from(text.slice(0, 2 * shownCharacters + 1));
	const shown = characters.slice(0, shownCharacters).join('');
	const escaped = JSON.stringify(shown).replace(invisible, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
	return shown.length < text.length ? `${escaped}…` : escaped;
}

/** Several texts, quoted and joined; the first ten of them. */
export function quoteAll(texts: readonly string[]): string {
	const shown = texts.slice(0, 10).map(quote).join(', ');
	return texts.length > 10 ? `${shown} and ${texts.length - 10} more` : shown || 'none';
}
