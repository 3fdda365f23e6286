/**
 * What a restore may not set. Extended attributes that the system keeps for itself (`security.*` but file capabilities, `trusted.*`): only who may
 * administer the machine sets them. Owners, where the file system refuses them. restic gives the others of such a file up with them, fails, and goes on with the next file.
 */
import {linesOfPieces} from '../../base/lines.ts';
import {refusedOwners} from '../../base/owners.ts';
import {parseMessage} from './messages.ts';
import type {Unset} from './restic.ts';

/** Whose context a file has is said by where it is now: another machine's, or another container's, would shut its application out. */
export const alwaysLeftOut: readonly string[] = ['security.selinux'];

/** File capabilities, `security.capability`, a worker may set. */
export const systemAttributes: readonly string[] = ['security.[^c]*', 'trusted.*'];

const ofAttribute = /xattr\.L?(?:Set|Remove) .* ((?:security|trusted)\.\S+): (?:operation not permitted|permission denied)$/;

/** restic sets all else of such a file. */
const ofOwner = new RegExp(`^lchown .*: (?:${Object.values(refusedOwners).join('|')})$`);

/** In characters: restic's messages name a file by its whole path. */
const longestMessage = 65_536;

export interface Refusals {
	/** Takes the error output, in pieces. */
	hear: (piece: string) => void;
	/** What was refused, for people; undefined where nothing was, or where something else went wrong, too. */
	only: () => Unset | undefined;
	/** Attributes were among it: others of the same files were given up with them. */
	isOfAttributes: () => boolean;
}

export function listenForRefusals(): Refusals {
	let others = 0;
	const refused = {attributes: {count: 0, first: ''}, owners: {count: 0, first: ''}};

	const read = (line: string): void => {
		const message = parseMessage(line);
		if (message?.message_type !== 'error') {
			return;
		}

		const said = message.error.message ?? '';
		const item = message.item ?? 'a file';
		const [, attribute] = ofAttribute.exec(said) ?? [];
		if (attribute !== undefined) {
			count(refused.attributes, `\`${attribute}\` of ${item}`);
		} else if (ofOwner.test(said)) {
			count(refused.owners, `the owner of ${item}`);
		} else {
			others++;
		}
	};

	return {
		hear: linesOfPieces(longestMessage, read),
		only() {
			const some = [refused.attributes, refused.owners].filter(({count: files}) => files > 0);
			return some.length === 0 || others > 0
				? undefined
				: {what: some.map(({first}) => first).join(' and '), count: some.reduce((sum, {count: files}) => sum + files, 0)};
		},
		isOfAttributes: () => refused.attributes.count > 0,
	};
}

function count(refused: {count: number; first: string}, what: string): void {
	refused.first = refused.count++ === 0 ? what : refused.first;
}
