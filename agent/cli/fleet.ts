import type {Command} from 'commander';
import {presentOf} from '../../base/present.ts';
import type {HostView, StatusView} from '../../base/shapes/targets.ts';
import {size, when} from '../../base/units.ts';
import {type Host, remarksOn, viewOf} from '../api/fleet.ts';
import type {AddCommand, Context, JsonOption} from './context.ts';
import {exit} from './exit.ts';
import {styleOfOutcome} from './progress.ts';
import {newestCell, presentCell} from './status.ts';
import {styled, type Text} from './text.ts';

export const addFleet: AddCommand = (program, context) => {
	const fleet = program
		.command('fleet')
		.description('show how it is on every host: of all agents that the configuration names')
		.addHelpText('after', '\nExample:\n  $ holdfast fleet status');
	fleet
		.command('status', {isDefault: true})
		.description('the last good backup and drill of each target of each host, and what is late or gone')
		.addHelpText(
			'after',
			'\nExamples:\n  $ holdfast fleet status\n  $ holdfast fleet status --json\n\nThe section `agents` of the configuration file names the agents, or HOLDFAST_AGENT_URL=http://tasks.agent:9797 all of a Swarm: docs/slack.md. Exit code 1 where one does not answer.',
		)
		.action(async (_: unknown, status: Command) => {
			const {json} = status.optsWithGlobals<JsonOption>();
			const hosts = await Promise.all((await agentsOf(context)).map(async host => viewOf(host)));
			json ? context.out.json(hosts) : print(context, hosts);
			context.end(hosts.some(({error}) => error !== undefined) ? exit.failed : exit.done);
		});
};

const agentsOf = async ({connect, connectFleet}: Context): Promise<readonly Host[]> =>
	(await connectFleet()) ?? [{name: 'this host', client: await connect()}];

function print({out, now}: Context, hosts: readonly HostView[]): void {
	out.table(
		[
			{title: 'HOST', wrap: 10},
			{title: 'TARGET', wrap: 12},
			{title: 'LAST SUCCESS'},
			{title: 'SIZE', align: 'right'},
			{title: 'LAST DRILL', wrap: 10},
			{title: 'NOW', wrap: 8},
		],
		hosts.flatMap(({host, error, targets}): Text[][] =>
			targets.length > 0
				? targets.map(status => [host, ...cells(status, now())])
				: [[host, error === undefined ? 'no targets' : styled('red', 'does not answer'), '', '', '', '']],
		),
	);
	for (const {host, error} of hosts) {
		if (error !== undefined) {
			out.line`${host}: ${styled('red', 'does not answer')}: ${error}`;
		}
	}

	for (const {host, text} of remarksOn(hosts)) {
		out.line`${host}: ${styled('yellow', text)}`;
	}

	const sum = (part: 'late' | 'gone' | 'problems' | 'bytes') => hosts.reduce((total, view) => total + view[part], 0);
	const targets = hosts.reduce((total, view) => total + view.targets.length, 0);
	out.line`${hosts.length} hosts, ${targets} targets, ${size(sum('bytes'))}; ${sum('late')} late, ${sum('gone')} gone, ${sum('problems')} with problems`;
}

function cells(status: StatusView, now: number): Text[] {
	const {target, lastSuccess, lastDrill} = status;
	return [
		target,
		newestCell(status, now),
		lastSuccess?.bytes === undefined ? '' : size(lastSuccess.bytes),
		lastDrill ? styled(styleOfOutcome[lastDrill.outcome], `${lastDrill.outcome} ${when(lastDrill.startedAt, now)}`) : '-',
		presentCell(presentOf(status, {now, problems: 'problems'})),
	];
}
