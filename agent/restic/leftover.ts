/**
 * `restic restore --delete` (0.19.1) exits with 0 but deletes nothing when there was nothing to restore: the folder is empty in the
 * snapshot, or all of it is excluded. This deletes in its place.
 */
import {type Place, succeed} from '../../base/command.ts';
import {escapePattern} from './argv.ts';

/** Deletes what `into` holds, links themselves included, except what the patterns keep. They must begin with `/`, the folder itself. */
export async function deleteLeftovers(place: Place, into: string, keep: readonly string[], signal?: AbortSignal): Promise<void> {
	const unanchored = keep.find(pattern => !pattern.startsWith('/'));
	if (unanchored !== undefined) {
		throw new Error(
			`nothing was to be restored, and which files of ${into} the pattern \`${unanchored}\` keeps is not known: delete the others by hand`,
		);
	}

	const base = escapePattern(into.replace(/\/+$/, ''));
	const kept = keep.flatMap(withoutStars).flatMap(pattern => ['!', '-path', `${base}${pattern}`, '!', '-path', `${base}${pattern}/*`]);
	await succeed(place, {argv: ['find', into, '-mindepth', '1', '!', '-type', 'd', ...kept, '-delete'], signal});
	await succeed(place, {argv: ['find', into, '-mindepth', '1', '-type', 'd', '-empty', ...kept, '-delete'], signal});
}

/** `find` wants two slashes where `**` stands for no folder at all. */
const withoutStars = (pattern: string): string[] => {
	const at = pattern.indexOf('/**/');
	return at === -1
		? [pattern]
		: withoutStars(pattern.slice(at + 3)).flatMap(rest => [`${pattern.slice(0, at)}/**${rest}`, pattern.slice(0, at) + rest]);
};
