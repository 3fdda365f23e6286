/**
 * Extended attributes that the system keeps for itself (`security.*` but file capabilities, `trusted.*`): only who may administer the machine sets
 * them. restic gives the others of such a file up with them, fails, and goes on with the next file.
 */
import {linesOfPieces} from '../../base/lines.ts';
import {parseMessage} from './messages.ts';
import type {Unset} from './restic.ts';

/** Whose context a file has is said by where it is now: another machine's, or another container's, would shut its application out. */
export const alwaysLeftOut: readonly string[] = ['security.selinux'];

/** File capabilities, `security.capability`, a worker may set. */
export const systemAttributes: readonly string[] = ['security.[^c]*', 'trusted.*'];

const refusal = /xattr\.L?Set .* ((?:security|trusted)\.\S+): (?:operation not permitted|permission denied)$/;

/** In characters: restic's messages name a file by its whole path. */
const longestMessage = 65_536;

export interface Refusals {
	/** Takes the error output, in pieces. */
	hear: (piece: string) => void;
	/** What was refused, for people; undefined where nothing was, or where something else went wrong, too. */
	only: () => Unset | undefined;
}

export function listenForRefusals(): Refusals {
	let count = 0;
	let others = 0;
	let first: string | undefined;

	const read = (line: string): void => {
		const message = parseMessage(line);
		if (message?.message_type !== 'error') {
			return;
		}

		const [, attribute] = refusal.exec(message.error.message ?? '') ?? [];
		if (attribute === undefined) {
			others++;
			return;
		}

		count++;
		first ??= `\`${attribute}\` of ${message.item ?? 'a file'}`;
	};

	return {
		hear: linesOfPieces(longestMessage, read),
		only: () => (first === undefined || others > 0 ? undefined : {what: first, count}),
	};
}
