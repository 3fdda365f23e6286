/** The command line: arguments in, one call on the agent, its answer printed, an exit code out. */
import {type Argument, Command, CommanderError} from 'commander';
import {explain} from '../../base/errors.ts';
import {printable} from '../../base/printable.ts';
import {inSources} from '../../base/source-lines.ts';
import {addAdopt} from './adopt.ts';
import {addAgent} from './agent.ts';
import {addAudit} from './audit.ts';
import {addBackup} from './backup.ts';
import {addBot} from './bot.ts';
import {addCancel} from './cancel.ts';
import {addCheck} from './check.ts';
import {addCompletion} from './completion.ts';
import type {AddCommand, Context, Surroundings} from './context.ts';
import {addCopy} from './copy.ts';
import {addDiff} from './diff.ts';
import {addDoctor} from './doctor.ts';
import {addDrill} from './drill.ts';
import {addDump} from './dump.ts';
import {exit, exitOfError} from './exit.ts';
import {addExport} from './export.ts';
import {addFind} from './find.ts';
import {addFleet} from './fleet.ts';
import {addForget} from './forget.ts';
import {addHealthcheck} from './healthcheck.ts';
import {addImport} from './import.ts';
import {addKit} from './kit.ts';
import {addLabels} from './labels.ts';
import {addLs} from './ls.ts';
import {addMove} from './move.ts';
import {createOutput} from './output.ts';
import {addPlan} from './plan.ts';
import {addPoints} from './points.ts';
import {addPrune} from './prune.ts';
import {addRestore} from './restore.ts';
import {addRuns} from './runs.ts';
import {addStatus} from './status.ts';
import {addTargets} from './targets.ts';
import {styled} from './text.ts';
import {addUnlock} from './unlock.ts';
import {addVersion} from './version.ts';

/** Under the headings of `holdfast --help`. */
const commands: Readonly<Record<string, readonly AddCommand[]>> = {
	'See how things are:': [addStatus, addTargets, addPlan, addLabels, addPoints, addRuns, addDoctor, addFleet, addAudit, addKit],
	'Back up and restore:': [addBackup, addRestore, addDrill, addCancel],
	'Look into restore points:': [addLs, addFind, addDump, addDiff],
	'Look after the repositories:': [addCopy, addCheck, addPrune, addUnlock, addAdopt, addMove, addForget],
	'Take along:': [addExport, addImport],
	'For the shell and the image:': [addCompletion, addHealthcheck, addVersion],
};

/** `argv`: without the program's name. Never rejects, and never ends the process: gives the exit code. */
export async function runCli(argv: readonly string[], surroundings: Surroundings): Promise<number> {
	const {stdout, stderr, colour = true, debug = false, now = Date.now} = surroundings;
	let code: number = exit.done;
	const context: Context = {
		...surroundings,
		now,
		out: createOutput(stdout, {colour}),
		err: createOutput(stderr, {colour}),
		end(given) {
			code = given;
		},
	};

	try {
		// No command is not commander's default command: that would take a mistyped one for an argument of the agent.
		await createProgram(context).parseAsync(argv.length === 0 ? ['agent'] : [...argv], {from: 'user'});
		return code;
	} catch (error) {
		return error instanceof CommanderError ? (error.exitCode === 0 ? exit.done : exit.usage) : fail(error, context, {debug});
	}
}

function createProgram(context: Context): Command {
	const {out, err, version} = context;
	const program = new Command('holdfast')
		.description('Backs up and restores Docker Compose stacks.')
		.version(version)
		.exitOverride()
		.configureOutput({
			writeOut: out.raw,
			writeErr: err.raw,
			getOutHelpWidth: () => Math.min(out.columns(), 100),
			getErrHelpWidth: () => Math.min(err.columns(), 100),
			getOutHasColors: () => false,
			getErrHasColors: () => false,
		})
		// That a command has options goes without saying
		.configureHelp({subcommandTerm: command => [command.name(), ...command.registeredArguments.map(argumentTerm)].join(' ')})
		.addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 partial.\nWithout a command it runs the agent.');
	for (const [heading, added] of Object.entries(commands)) {
		program.commandsGroup(heading);
		for (const add of added) {
			add(program, context);
		}
	}

	for (const command of program.commands) {
		command.option('--json', 'print JSON');
	}

	addAgent(program, context);
	addBot(program, context);
	program.helpCommand('help [command]', 'the same as `COMMAND --help`');
	return program;
}

const argumentTerm = (argument: Argument): string => {
	const name = argument.name() + (argument.variadic ? '...' : '');
	return argument.required ? `<${name}>` : `[${name}]`;
};

function fail(error: unknown, {err}: Context, {debug}: {debug: boolean}): number {
	if (debug && error instanceof Error) {
		err.raw(
			`${inSources(error.stack ?? '')
				.split('\n')
				.map(printable)
				.join('\n')}\n`,
		);
	}

	const [first = '', ...more] = explain(error).split('\n');
	err.line`${styled('red', 'error')}: ${first}`;
	for (const line of more) {
		err.line`  ${line}`;
	}

	return exitOfError(error);
}
