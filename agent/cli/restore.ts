import {createInterface} from 'node:readline/promises';
import type {Command} from 'commander';
import {type Acknowledged, marksOf} from '../../base/acknowledged.ts';
import {UsageError} from '../../base/errors.ts';
import {describeRestored} from '../../base/restored.ts';
import type {PointView} from '../../base/shapes/points.ts';
import type {RestorePlan, RestoreRequest} from '../../base/shapes/restores.ts';
import {moment, size, when} from '../../base/units.ts';
import type {AddCommand, Context, JsonOption} from './context.ts';
import {type ExitCode, exit} from './exit.ts';
import {meanwhile} from './meanwhile.ts';
import type {Output} from './output.ts';
import {styled} from './text.ts';
import {watch} from './watch.ts';

interface RestoreOptions extends JsonOption {
	point: string;
	only?: string[];
	from?: string;
	fromHost?: string;
	fromTarget?: string;
	fromSnapshot?: string;
	into?: string;
	forceTarget?: true;
	skipDrillSql?: true;
	yes?: true;
	dryRun?: true;
}

export const addRestore: AddCommand = (program, context) => {
	const command = program
		.command('restore')
		.description('put a target back to the moment of a restore point')
		.argument('<target>', 'as `holdfast targets` names it; or a project, which is all of its targets together')
		.option('--point <id>', 'as `holdfast points` names it, or a time: the newest point that is not after it', 'latest')
		.option('--only <source...>', 'only these sources, as `holdfast points` names them; a path behind a volume is a file or folder in it')
		.option('--into <name>', 'restore one Postgres database beside the live ones, under this name; nothing is stopped or replaced')
		.option('--force-target', 'restore a point of another target, too')
		.option('--skip-drill-sql', 'do not ask the query of the label `drill.sql` before the swap: an older state may rightly say no')
		.option('--from <copy>', 'from a copy, instead of the primary repository')
		.option('--from-host <host>', 'a point that another agent filed under this host name (or the id of that agent)')
		.option('--from-target <target>', 'points of a target, or of a project, that has another name')
		.option(
			'--from-snapshot <id>',
			'from a snapshot that another program made, as `holdfast points --foreign` names it, or `ID:/folder/in/it`; with --only',
		)
		.option('--dry-run', 'print what would happen, and stop')
		.option('--yes', 'do not ask')
		.addHelpText(
			'after',
			'\nExamples:\n  $ holdfast restore shop/db --dry-run\n  $ holdfast restore shop/db --point 20261121t030000-3f9a2c1\n  $ holdfast restore shop/app --only volume:/data --yes --json\n  $ holdfast restore shop/app --only volume:/data/uploads/a.png\n  $ holdfast restore new --from-target old\n  $ holdfast restore shop --point 2026-11-21T03:00\n  $ holdfast restore shop/db --only postgres:metadb --into metadb2\n  $ holdfast restore shop/app --only volume:/data --from-snapshot 3f9a2c1d:/srv/data',
		)
		.action(async (target: string, options: RestoreOptions) => context.end(await restore(context, target, options)));
	addSettle(command, context, 'undo', 'put back what a restore replaced; what was written since is lost');
	addSettle(command, context, 'finish', 'let go of what a restore replaced; it cannot be undone afterwards');
};

function addSettle(restoring: Command, context: Context, verb: 'undo' | 'finish', description: string): void {
	const command = restoring
		.command(verb)
		.description(description)
		.argument('<run>', 'as `holdfast runs` names the restore')
		.addHelpText(
			'after',
			`\nExample${verb === 'undo' ? '' : 's'}:\n  $ holdfast restore ${verb} 20261121t030000-3f9a2c1${verb === 'undo' ? '' : '\n  $ holdfast restore finish 20261121t030000-3f9a2c1 --force'}`,
		)
		.action(async (run: string, {force}: {force?: true}, settling: Command) => {
			// The option is the parent's, which takes it wherever it stands.
			const {json} = settling.optsWithGlobals<JsonOption>();
			const client = await context.connect();
			const accepted = await (verb === 'undo' ? client.undoRestore(run, 'cli') : client.finishRestore(run, 'cli', {force}));
			const {target} = await client.run(run);
			context.end(await watch(context, {client, run: accepted, target, settles: verb, json}));
		});
	if (verb === 'finish') {
		command.option('--force', 'its target is gone, or cannot be reached: leave what cannot be removed, and name it');
	}
}

async function restore(
	context: Context,
	target: string,
	{point, only = [], from, fromHost, fromTarget, fromSnapshot, into, forceTarget, skipDrillSql, yes, dryRun, json}: RestoreOptions,
): Promise<ExitCode> {
	if (!yes && !dryRun && !context.stdin.isTTY) {
		throw new UsageError('`holdfast restore` asks before it replaces data, and nobody can answer here', {
			hint: 'add --yes, or look first with --dry-run',
		});
	}

	const client = await context.connect();
	const request: RestoreRequest = {
		target,
		point: fromSnapshot === undefined ? point : `snapshot:${fromSnapshot}`,
		only,
		from,
		fromHost,
		fromTarget,
		...(into !== undefined && {into}),
		...(forceTarget !== undefined && {forceTarget}),
		...(skipDrillSql !== undefined && {skipDrillSql}),
		trigger: 'cli',
	};
	const planned = async () =>
		meanwhile(context.err, `looking what a restore of ${target} would do, and nothing is changed`, client.planRestore(request));
	if (dryRun) {
		const plan = await planned();
		json ? context.out.json(plan) : printPlan(context.out, plan, context.now());
		return exit.done;
	}

	let acknowledged: Acknowledged = true;
	if (!yes) {
		const plan = await planned();
		printPlan(context.err, plan, context.now());
		if (!(await confirmed(context, plan.target))) {
			context.err.line`nothing was changed`;
			return context.interrupted.aborted ? exit.interrupted : exit.failed;
		}

		// What was shown is what is restored, also when a newer point came meanwhile; and what was not shown is not said yes to.
		request.point = plan.points.map(({point}) => point).join(',');
		acknowledged = marksOf(plan.acknowledge);
	}

	// The warning was shown with the plan and the name was typed; or --yes says that nobody needs to see it.
	return watch(context, {client, run: await client.restore({...request, acknowledged}), target, json});
}

function printPlan(output: Output, {target, from, points, sources, storages, stop, hooks, into, warnings}: RestorePlan, now: number): void {
	const isOne = points.length === 1;
	for (const point of points) {
		const name = isOne ? target : point.target;
		output.line`restore ${styled('bold', name)} to ${moment(point.time)} (${when(point.time, now)}), point ${point.point}${from === 'primary' ? '' : ` of copy ${from}`}${filer(point)}`;
	}

	const sizes = new Map(
		points.flatMap(point => point.sources.map(({source, bytes}) => [isOne ? source : `${point.target} ${source}`, bytes])),
	);
	for (const source of sources) {
		const bytes = sizes.get(source);
		const known = bytes === undefined ? '' : `  ${size(bytes)}`;
		into === null ? output.line`  replace  ${source}${known}` : output.line`  make     database ${into} of ${source}${known}`;
	}

	for (const storage of storages) {
		output.line`  files    ${describeRestored(storage)}`;
	}

	for (const container of stop) {
		output.line`  stop     ${container} meanwhile`;
	}

	for (const {when, container, program} of hooks) {
		output.line`  ${when === 'before' ? 'before' : 'after '}   ${program} in ${container}`;
	}

	for (const warning of warnings) {
		output.line`  ${styled('yellow', 'warning')}  ${warning}`;
	}
}

/** Who filed it, where that is another agent. */
const filer = ({own, host, agent}: PointView): string =>
	own ? '' : `, which ${agent === null ? 'an agent without an id' : `agent ${agent}`} filed on host ${host}`;

/** The name must be typed: a `y` is typed too quickly. The end of the input is a no. */
async function confirmed({err, stdin, interrupted}: Context, target: string): Promise<boolean> {
	err.raw(err.render`Type the target's name to go on (${target}): `);
	const reader = createInterface({input: stdin});
	try {
		const {promise, resolve} = Promise.withResolvers<string>();
		reader.once('line', resolve);
		reader.once('close', () => resolve(''));
		interrupted.addEventListener('abort', () => resolve(''), {once: true});
		return !interrupted.aborted && (await promise).trim() === target;
	} finally {
		reader.close();
	}
}
