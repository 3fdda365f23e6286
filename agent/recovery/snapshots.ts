/** Snapshots of file systems that an earlier life of this agent took, and that nobody removed. */
import {output, succeed} from '../../base/command.ts';
import {explain} from '../../base/errors.ts';
import {runId} from '../../base/ids.ts';
import type {Log} from '../../base/log.ts';
import {hired} from '../runs/shell.ts';
import type {Workshop} from '../runs/workshop.ts';
import {removal, runOfSnapshot, snapshotsFolder} from '../sources/snapshots.ts';

/** Disturbs nobody: they only take room. Never rejects. */
export async function removeSnapshots(
	{self, agentId, hire}: Pick<Workshop, 'self' | 'agentId' | 'hire'>,
	{isUnderWay, log}: {isUnderWay: (run: string) => boolean; log: Pick<Log, 'info' | 'warning'>},
): Promise<void> {
	if (!self.mounts.some(({path}) => path === snapshotsFolder)) {
		return;
	}

	try {
		await hired({hire}, `snapshots-${runId(Date.now())}`, async workforce => {
			const {run: worker} = await workforce.repository([], 'read');
			const {stdout} = await output(worker, {argv: ['find', snapshotsFolder, '-mindepth', '1', '-maxdepth', '1', '-printf', '%f\\0']});
			for (const name of stdout.split('\0')) {
				const run = runOfSnapshot(name, agentId);
				if (run !== undefined && !isUnderWay(run)) {
					await succeed(worker, {argv: ['sh', '-c', removal, `${snapshotsFolder}/${name}`]});
					log.info(`snapshot \`${name}\` of an interrupted run was removed`);
				}
			}
		});
	} catch (error) {
		log.warning(`what interrupted runs left in ${snapshotsFolder} could not be removed: ${explain(error)}`);
	}
}
