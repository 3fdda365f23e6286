import type {ForeignView} from '../../base/shapes/points.ts';
import {moment, size, when} from '../../base/units.ts';
import type {AddCommand, Context, JsonOption} from './context.ts';
import {exit} from './exit.ts';

export const addPoints: AddCommand = (program, {connect, out, err, end, now}) => {
	program
		.command('points')
		.description('list restore points, newest first')
		.argument('[target]', 'as `holdfast targets` names it; all of them without')
		.option('--from <copy>', 'those of a copy, instead of the primary repository')
		.option('--foreign', 'snapshots in the repository that another program made')
		.addHelpText(
			'after',
			'\nExamples:\n  $ holdfast points\n  $ holdfast points shop/db --json\n  $ holdfast points --from offsite\n  $ holdfast points --foreign',
		)
		.action(async (target: string | undefined, {json, from, foreign}: JsonOption & {from?: string; foreign?: true}) => {
			if (foreign) {
				const snapshots = await (await connect()).foreign(from);
				json ? out.json(snapshots) : printForeign({out, err}, snapshots, now());
				return end(exit.done);
			}

			const points = await (await connect()).points(target, from);
			if (json) {
				out.json(points);
			} else if (points.length === 0) {
				err.line`no restore points yet: holdfast ${from === undefined ? `backup ${target ?? '--all'}` : `copy ${from}`}`;
			} else {
				const isShared = points.some(({own}) => !own);
				out.table(
					[
						{title: 'POINT'},
						...(isShared ? [{title: 'FILED BY', wrap: 16}] : []),
						{title: 'TARGET', wrap: 12},
						{title: 'MOMENT', wrap: 10},
						{title: 'SIZE', align: 'right'},
						{title: 'DRILLED', wrap: 7},
						{title: 'SOURCES', wrap: 10},
					],
					points.map(({point, own, host, agent, target, filedAs, time, sources, verifiedAt}) => [
						point,
						...(isShared ? [own ? 'this agent' : `${agent ?? 'unknown'} on ${host}`] : []),
						filedAs === undefined ? target : `${target} (was ${filedAs})`,
						`${moment(time)}, ${when(time, now())}`,
						size(sources.reduce((sum, {bytes}) => sum + bytes, 0)),
						when(verifiedAt, now()),
						sources.map(({source}) => source).join(', '),
					]),
				);
			}

			end(exit.done);
		});
};

function printForeign({out, err}: Pick<Context, 'out' | 'err'>, snapshots: readonly ForeignView[], now: number): void {
	if (snapshots.length === 0) {
		err.line`every snapshot in the repository is Holdfast's`;
		return;
	}

	out.table(
		[
			{title: 'SNAPSHOT'},
			{title: 'MADE', wrap: 10},
			{title: 'HOST', wrap: 8},
			{title: 'SIZE', align: 'right'},
			{title: 'TAGS', wrap: 8},
			{title: 'PATHS', wrap: 10},
		],
		snapshots.map(({snapshot, time, host, bytes, tags, paths}) => [
			snapshot.slice(0, 8),
			`${moment(time)}, ${when(time, now)}`,
			host,
			bytes === 0 ? '-' : size(bytes),
			tags.join(', '),
			paths.join(', '),
		]),
	);
}
