import {duration} from '../../base/units.ts';
import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';
import {styled} from './text.ts';

export const addUnlock: AddCommand = (program, {connect, out, err, end}) => {
	program
		.command('unlock')
		.description('remove the locks of processes that are proven dead; tell of the others')
		.addHelpText('after', '\nExamples:\n  $ holdfast unlock\n  $ holdfast unlock --json')
		.action(async ({json}: JsonOption) => {
			const unlocked = await (await connect()).unlock();
			const rows = [
				...unlocked.removed.map(lock => ({...lock, action: styled('green', 'removed')})),
				...unlocked.left.map(lock => ({...lock, action: 'left'})),
			];
			if (json) {
				out.json(unlocked);
			} else if (rows.length === 0) {
				err.line`the repository has no locks`;
			} else {
				out.table(
					[
						{title: 'LOCK'},
						{title: 'HOST', wrap: 24},
						{title: 'PROCESS', align: 'right'},
						{title: 'KIND'},
						{title: 'REFRESHED', align: 'right'},
						{title: 'ACTION'},
						{title: 'WHY', wrap: 24},
					],
					rows.map(({lock, host, pid, exclusive, ageSeconds, action, why}) => [
						lock.slice(0, 8),
						host,
						String(pid),
						exclusive ? 'exclusive' : 'shared',
						`${duration(Math.round(ageSeconds))} ago`,
						action,
						why,
					]),
				);
			}

			if (unlocked.warning !== undefined && !json) {
				err.line`${styled('yellow', 'warning')}: ${unlocked.warning}`;
			}

			end(exit.done);
		});
};
