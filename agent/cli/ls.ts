import {moment, size} from '../../base/units.ts';
import type {AddCommand, JsonOption} from './context.ts';
import {exit} from './exit.ts';
import {limitOption} from './limit-option.ts';
import {type PointOptions, pointOptions} from './point-options.ts';

interface Options extends PointOptions, JsonOption {
	recursive?: true;
	limit: number;
}

export const addLs: AddCommand = (program, {connect, out, err, end}) => {
	const command = program
		.command('ls')
		.description('list what a restore point holds: its sources, or the files of a folder')
		.argument('<target>', 'as `holdfast targets` names it')
		.argument('[path]', 'in the container, or a source; without it, all sources')
		.option('-R, --recursive', 'all that is below the folder');
	pointOptions(command)
		.addOption(limitOption({what: 'how many entries are shown', usual: 10_000, most: 100_000}))
		.addHelpText(
			'after',
			'\nExamples:\n  $ holdfast ls shop/app\n  $ holdfast ls shop/app /data/uploads\n  $ holdfast ls shop/app web/volume:/data --recursive --point 2026-11-21T03:00',
		)
		.action(async (target: string, path: string | undefined, {json, recursive, ...options}: Options) => {
			const listing = await (await connect()).list({target, path, recursive: recursive === true, ...options});
			if (json) {
				out.json(listing);
			} else {
				out.table(
					[{title: 'SIZE', align: 'right'}, {title: 'CHANGED'}, {title: 'PATH', wrap: 20}],
					listing.entries.map(({path: shown, type, size: bytes, modified}) => [
						type === 'dir' && bytes === 0 ? '' : size(bytes),
						modified === null ? '' : moment(modified),
						type === 'dir' ? `${shown.replace(/\/$/, '')}/` : type === 'file' ? shown : `${shown} (${type})`,
					]),
				);
				err.line`point ${listing.point} of ${listing.target}, ${moment(listing.time)}`;
				if (listing.more > 0) {
					err.line`${listing.more} more are not shown: --limit ${listing.entries.length + listing.more}`;
				}
			}

			end(exit.done);
		});
};
