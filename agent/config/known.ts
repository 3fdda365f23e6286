/** The names of all variables of Holdfast, and what is said of one that is none of them. */

import {nearest} from '../../base/reading/nearest.ts';
import type {Environment, Variables} from './environment.ts';
import {notifyVariables} from './notify.ts';

/** All that is read in this folder and elsewhere. */
export const knownVariables = [
	'HOLDFAST_HOST',
	'HOLDFAST_PROJECTS',
	'HOLDFAST_AUTO',
	'HOLDFAST_SCHEDULE',
	'HOLDFAST_KEEP',
	'HOLDFAST_SHRINK_LIMIT',
	'HOLDFAST_PRUNE_SCHEDULE',
	'HOLDFAST_CHECK_SCHEDULE',
	'HOLDFAST_CHECK_PARTS',
	'HOLDFAST_CONCURRENCY',
	'HOLDFAST_STALL_LIMIT',
	'HOLDFAST_KEEP_REPLACED',
	'HOLDFAST_RESTORE_MARGIN',
	'HOLDFAST_IMPORT_LIMIT',
	'HOLDFAST_LOCK_TIMEOUT',
	...notifyVariables,
	'HOLDFAST_LISTEN',
	'HOLDFAST_API_TOKEN',
	'HOLDFAST_API_TOKEN_FILE',
	'HOLDFAST_LOG_LEVEL',
	'HOLDFAST_LABEL_DIALECTS',
	'HOLDFAST_LABEL_PREFIX',
	'HOLDFAST_IMAGE',
	'HOLDFAST_CONTAINER',
	'HOLDFAST_WORKER_MEMORY',
	'HOLDFAST_WORKER_CPUS',
	'HOLDFAST_REPOSITORY_ACCESS',
	'HOLDFAST_LIMIT_UPLOAD',
	'HOLDFAST_LIMIT_DOWNLOAD',
	'HOLDFAST_CONFIG',
	'HOLDFAST_AGENT_URL',
	'HOLDFAST_SLACK_CHANNEL',
	'HOLDFAST_SLACK_OPERATORS',
	'HOLDFAST_SLACK_RESTORERS',
	'HOLDFAST_SLACK_APPROVALS',
	'HOLDFAST_SLACK_LISTEN',
	'HOLDFAST_SLACK_API_URL',
];

/** How restic calls them. */
const repositoryNames = ['RESTIC_REPOSITORY', 'RESTIC_PASSWORD'].flatMap(name => [name, `${name}_FILE`]);

export function reportUnknown(variables: Variables, environment: Environment): void {
	for (const name of Object.keys(variables).filter(candidate => /^holdfast_/i.test(candidate) && !knownVariables.includes(candidate))) {
		const ofRestic = name.toUpperCase().replace(/^HOLDFAST_(?:RESTIC_)?/, 'RESTIC_');
		const meant = repositoryNames.includes(ofRestic)
			? ofRestic
			: nearest(
					name.toLowerCase(),
					knownVariables.map(each => each.toLowerCase()),
				);
		environment.problem(
			`\`${name}\` is no variable of Holdfast`,
			meant === undefined ? 'remove it; docs/configuration.md lists all' : `did you mean \`${meant.toUpperCase()}\`?`,
		);
	}
}
