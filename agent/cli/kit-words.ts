/** What the kit says, on paper and on the terminal. */
import type {Kit, KitFile} from '../../base/shapes/kit.ts';
import {size} from '../../base/units.ts';

/** As a shell reads it, and a file of variables (`env_file:`), which knows no quote in quotes. Compose takes the quotes of a list under `environment:` for a part of the value. */
const quoted = (value: string): string => (value.includes("'") ? `"${value.replaceAll(/[\\"$`]/g, '\\$&')}"` : `'${value}'`);

/** What opens it: variables, and options of restic's. */
export const openingLines = ({environment, options}: Kit['repositories'][number]): string[] => [
	...Object.entries(environment).map(([name, value]) => `${name}=${quoted(value)}`),
	...Object.entries(options).map(([name, value]) => `restic --option=${name}=${value}`),
];

/** Above a file, and the file. */
export function fileLines(file: KitFile): {heading: string; lines: string[]} {
	if ('missing' in file) {
		return {heading: `${file.path} cannot be read (${file.missing}): find it, and keep it with this`, lines: []};
	}

	if ('bytes' in file) {
		return {heading: `${file.path} (${size(file.bytes)}) is too long to print: keep a copy with this`, lines: []};
	}

	return 'text' in file
		? {heading: file.path, lines: file.text.replace(/\n$/, '').split('\n')}
		: {heading: `${file.path}, as base64 -d reads it`, lines: file.base64.match(/.{1,76}/g) ?? []};
}

export const warning = 'Whoever has this reads every backup, and can delete it. Keep it where the host is not.';

export const placeOf = ({isFolder, heldIn = 'a folder'}: Kit['repositories'][number]): string =>
	isFolder ? `${heldIn} of the host, or of a disk in it: gone with it, but for what is elsewhere` : 'elsewhere';

/** On a new host; docs/bare-host.md says more. */
export const steps = ({agent}: Pick<Kit, 'agent'>): string[] => [
	'Start Holdfast alone with one of the repositories above: its lines go, as they are, into a file that `env_file:` of the service names; files of it, readable for their owner only, are mounted where they were, as a folder is.',
	`See what is there (holdfast points), and take it over: holdfast adopt ${agent} --force`,
	'Start the stack without its applications (docker compose up --no-start, then the databases), and holdfast restore PROJECT.',
	'Without Holdfast: the same lines open the repository for restic itself. restic snapshots, restic restore.',
];
