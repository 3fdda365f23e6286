/** Files that are mounted by themselves, and are not whole without what lies beside them in their container. */
import {output} from '../../../base/command.ts';
import {label} from '../../../base/label.ts';
import type {SourceContext} from '../source.ts';
import type {PlannedVolume} from './plan.ts';

const beginning = 'SQLite format 3';

/** What a person should know of it. Of a file that its application has closed there is nothing beside it. */
export async function warningsOfAlone(
	{name, mount}: PlannedVolume,
	path: string,
	{worker, signal, outage}: SourceContext,
): Promise<string[]> {
	if (mount.volume !== undefined || outage === undefined || outage.stops) {
		return [];
	}

	const argv = ['sh', '-c', 'test -f "$1" && exec head -c 15 -- "$1"; true', 'sh', path] as const;
	const {stdout} = await output(worker, {argv, signal});
	return stdout === beginning
		? [
				`\`${name}\` is a SQLite database that is mounted by itself: its \`-wal\` or \`-journal\` is elsewhere, and what its application was about to write may be missing or half there; mount the folder that it is in and name it with \`${label('sqlite')}\`, or set \`${label('quiesce')}=stop\``,
			]
		: [];
}
