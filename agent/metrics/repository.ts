/** The repository: what it holds, and whether it is looked after. */

import type {MakeGauge} from './family.ts';
import type {Holdings} from './inventory.ts';

interface RepositoryFamilies {
	/** @param present the targets that there are: a repository also has points of those that are gone, and of other hosts; undefined while nobody knows */
	show: (repositories: ReadonlyMap<string, Holdings>, present: ReadonlySet<string> | undefined) => void;
}

export function repositoryFamilies(gauge: MakeGauge): RepositoryFamilies {
	const labels = ['repository'] as const;
	const size = gauge('repository_size_bytes', 'Stored data, as of the last prune, and what backups added since.', labels);
	const check = gauge('repository_check_success', '1 when the last check found everything in order, else 0.', labels);
	const lastCheck = gauge('repository_last_check_timestamp_seconds', 'When the last check ended that found everything in order.', labels);
	const lastPrune = gauge('repository_last_prune_timestamp_seconds', 'When the last successful prune ended.', labels);
	const lockAge = gauge(
		'repository_lock_age_seconds',
		'For how long the oldest lock had not been refreshed when it was looked at; 0 without locks.',
		labels,
	);
	const points = gauge('restore_points', 'Restore points in the repository.', ['target']);
	const suspicious = gauge('target_suspicious', '1 while the target is much smaller than before and no person has looked.', ['target']);
	const all = [size, check, lastCheck, lastPrune, lockAge, points, suspicious];
	return {
		show(repositories, present) {
			const isGone = (target: string) => present?.has(target) === false;
			for (const family of all) {
				family.reset();
			}

			for (const [repository, holdings] of repositories) {
				const given = [
					[size, holdings.sizeBytes],
					[check, holdings.checkSuccess === undefined ? undefined : Number(holdings.checkSuccess)],
					[lastCheck, holdings.lastCheck && holdings.lastCheck / 1000],
					[lastPrune, holdings.lastPrune && holdings.lastPrune / 1000],
					[lockAge, holdings.lockAgeMs && holdings.lockAgeMs / 1000],
				] as const;
				for (const [family, value] of given) {
					if (value !== undefined) {
						family.set({repository}, value ?? 0);
					}
				}

				for (const [target, count] of holdings.points ?? []) {
					if (!isGone(target)) {
						points.set({target}, count);
					}
				}

				for (const target of holdings.suspicious.filter(each => !isGone(each))) {
					suspicious.set({target}, 1);
				}
			}
		},
	};
}
