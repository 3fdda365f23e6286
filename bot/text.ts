/** Text for Slack. Names come from labels, and labels are hostile: what is not ours is shown as code, in which nothing is obeyed. */
import {printable} from '../base/printable.ts';

const entities: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '`': 'ˋ'};

/** Characters, not their halves; as long as it may be once it is escaped. */
function escaped(text: string, limit: number): string {
	let taken = '';
	for (const character of text.toWellFormed()) {
		const next = entities[character] ?? character;
		if (taken.length + next.length >= limit) {
			return `${taken}…`;
		}

		taken += next;
	}

	return taken;
}

/** A name, within a line. */
export const code = (text: string, limit = 200): string => `\`${escaped(printable(text).trim() || '-', limit)}\``;

/** A message of several lines. */
export function codeBlock(text: string, limit = 2000): string {
	const lines = text.split('\n').map(line => printable(line));
	return `\`\`\`\n${escaped(lines.join('\n').trim() || '-', limit)}\n\`\`\``;
}

/** For places that know no formatting. */
export function plain(text: string, limit: number): string {
	const characters = [...printable(text).trim()];
	let taken = '';
	for (const character of characters) {
		if (taken.length + character.length > limit - 1) {
			return `${taken}…`;
		}

		taken += character;
	}

	return taken || '-';
}

export const person = (user: string): string => (/^[UW][A-Z0-9]+$/.test(user) ? `<@${user}>` : code(user));

/** In the time zone of each reader. */
export function date(time: string | number): string {
	const instant = new Date(time);
	if (Number.isNaN(instant.getTime())) {
		return code(String(time));
	}

	const fallback = `${instant.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
	return `<!date^${Math.floor(instant.getTime() / 1000)}^{date_short_pretty} {time}|${fallback}>`;
}

/** Where Slack formats no dates: modals' options. */
export const utc = (time: string): string => `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
