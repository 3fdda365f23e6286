/** What the kit says, on paper and on the terminal. */
import type {Kit} from '../../base/shapes.ts';

/** What opens it: variables as a shell reads them, and options of restic's. */
export const openingLines = ({environment, options}: Kit['repositories'][number]): string[] => [
	...Object.entries(environment).map(([name, value]) => `${name}='${value.replaceAll("'", "'\\''")}'`),
	...Object.entries(options).map(([name, value]) => `restic --option=${name}=${value}`),
];

export const warning = 'Whoever has this reads every backup, and can delete it. Keep it where the host is not.';

export const placeOf = ({isFolder}: Kit['repositories'][number]): string =>
	isFolder ? 'a folder of the host or of a disk in it: gone with it, but for what is elsewhere' : 'elsewhere';

/** On a new host; docs/bare-host.md says more. */
export const steps = ({agent}: Pick<Kit, 'agent'>): string[] => [
	'Start Holdfast alone with one of the repositories below: its lines go into `environment:` of the service, or into files that NAME_FILE names. A folder is mounted where it was.',
	`holdfast points shows what is there; holdfast adopt ${agent} --force takes it over.`,
	'Start the stack without its applications (docker compose up --no-start, then the databases), and holdfast restore PROJECT.',
	'Without Holdfast: the same lines open the repository for restic itself. restic snapshots, restic restore.',
];
