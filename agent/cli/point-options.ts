/** Which point a command looks into. */
import type {Command} from 'commander';

export interface PointOptions {
	point: string;
	from?: string;
	fromHost?: string;
}

export const pointOptions = (command: Command): Command =>
	command
		.option('--point <id>', 'as `holdfast points` names it, `latest`, or a time: the newest point that is not after it', 'latest')
		.option('--from <copy>', 'a point of a copy, instead of the primary repository')
		.option('--from-host <host>', 'a point that another agent has filed: its host, or its id');
