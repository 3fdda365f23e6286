/** C0, DEL, C1, and the marks that reorder or break a line. */
export const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** The text with each character that could steer a terminal written out: `\x1b`. */
export function printable(text: string): string {
	return text.toWellFormed().replace(unprintable, character => {
		const code = character.charCodeAt(0);
		return code === 10 ? '\\n' : code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
	});
}
