/** The cache: the agent works without it, but not as fast. The folder of a repository speaks for itself when it is opened. */
import {examineFolder} from '../../base/folder.ts';
import type {Finding} from '../../base/shapes/targets.ts';
import {hasMounted, type Self} from '../../docker/self.ts';

/** Workers have it, too, where a volume or a folder of the host is mounted there. */
export function examineCache(folder: string, self: Self): Finding[] {
	const problem = examineFolder(folder);
	return problem === undefined
		? hasMounted(self, folder)
			? []
			: [
					{
						level: 'warning',
						subject: 'cache',
						message: `no volume is mounted at \`${folder}\`: every run asks the repository for all`,
						hint: `give Holdfast one: \`volumes: [cache:${folder}]\``,
					},
				]
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
