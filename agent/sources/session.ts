/** A program that is started before the moment and spoken to, a line at a time, during it: so that the moment costs no start. */
import {type Command, lastLines, type Place} from '../../base/command.ts';
import {RunError} from '../../base/errors.ts';
import {linesOf} from '../../base/lines.ts';

export interface Session {
	/** Writes one line and gives the next line of the answer. @throws when the program ends instead, with what it said */
	ask: (line: string, signal?: AbortSignal) => Promise<string>;
	/** The next line, without asking. */
	line: (signal?: AbortSignal) => Promise<string>;
	/** Ends the program. */
	close: () => Promise<void>;
}

export async function openSession(place: Place, command: Command): Promise<Session> {
	const running = await place({...command, stdin: true});
	const lines = linesOf(running.stdout);

	const line = async (signal?: AbortSignal): Promise<string> => {
		const {promise: aborted, reject} = Promise.withResolvers<never>();
		const onAbort = () => reject(signal?.reason);
		signal?.throwIfAborted();
		signal?.addEventListener('abort', onAbort, {once: true});
		try {
			const {value, done} = await Promise.race([lines.next(), aborted]);
			if (!done) {
				return value;
			}
		} finally {
			signal?.removeEventListener('abort', onAbort);
		}

		const {exitCode, stderr} = await running.done;
		throw new RunError(`\`${command.argv[0]}\` ended with exit code ${exitCode}: ${lastLines(stderr)}`);
	};

	return {
		line,
		async ask(text, signal) {
			running.stdin.write(`${text}\n`);
			return line(signal);
		},
		async close() {
			running.stdin.end();
			await running.kill();
		},
	};
}
