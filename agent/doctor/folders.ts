/** The cache: the agent works without it, but not as fast. The folder of a repository speaks for itself when it is opened. */
import {examineFolder} from '../../base/folder.ts';
import type {Finding} from '../../base/shapes/targets.ts';

export function examineCache(folder: string): Finding[] {
	const problem = examineFolder(folder);
	return problem === undefined
		? []
		: [
				{
					level: 'warning',
					subject: 'cache',
					message: `${problem.message}: until it may, every run asks the repository for all`,
					...hintOf(problem),
				},
			];
}

const hintOf = ({hint}: {hint?: string | undefined}) => (hint === undefined ? {} : {hint});
