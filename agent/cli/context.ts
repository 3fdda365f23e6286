import type {Readable} from 'node:stream';
import type {Command} from 'commander';
import type {Client} from '../api/client.ts';
import type {Host} from '../api/fleet.ts';
import type {ExitCode} from './exit.ts';
import type {Output, OutputStream} from './output.ts';

/** What `main.ts` gives; nothing here looks at the process. */
export interface Surroundings {
	/** Finds the agent. Called by those commands only that need it. */
	connect: () => Client | Promise<Client>;
	/** The agents that the configuration names; undefined where it names none. Called by those commands only that need them. */
	connectFleet: () => Promise<readonly Host[] | undefined>;
	/** The daemon; resolves with its exit code when it has ended. */
	startAgent: () => Promise<number>;
	/** The Slack bot alone; the same. */
	startBot: () => Promise<number>;
	version: string;
	stdin: Readable & {isTTY?: boolean | undefined};
	stdout: OutputStream;
	stderr: OutputStream;
	/** Fires on Ctrl-C. */
	interrupted: AbortSignal;
	/** False when `NO_COLOR` is set. Colours appear on terminals only. */
	colour?: boolean | undefined;
	/** Prints the stack of an error: `HOLDFAST_LOG_LEVEL=debug`. */
	debug?: boolean | undefined;
	now?: (() => number) | undefined;
}

/** What a command works with. Results go to `out`, everything else to `err`. */
export interface Context
	extends Pick<Surroundings, 'connect' | 'connectFleet' | 'startAgent' | 'startBot' | 'version' | 'stdin' | 'interrupted'> {
	out: Output;
	err: Output;
	now: () => number;
	/** How the command ends. */
	end: (code: ExitCode | number) => void;
}

/** Adds one command to the program. */
export type AddCommand = (program: Command, context: Context) => void;

export interface JsonOption {
	json?: true;
}
