/** A stream goes back: to a command of the container, which must read all of it. */
import {lastLines, type Running} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';
import {tailOf} from '../../../base/tail.ts';
import {assertWell, type StreamContainer, withinTime} from './container.ts';
import {sinkOf} from './flow.ts';
import type {StreamPolicy} from './labels.ts';
import {together} from './together.ts';

/** How `sh` exits for a command that exited 0, and left of its input more than padding of zeros. */
const leftSome = 90;

/**
 * `sh -c SCRIPT sh PROGRAM …`: who exits 0 before the end of its input has not taken all of it, and whatever is behind it in the pipe is lost
 * in silence. Archives end with zeros that their readers need not look at.
 */
const wholly = `"$@" || exit
left=$(head -c 65536 | tr -d '\\000' | wc -c)
[ "\${left:-0}" -eq 0 ] || exit ${leftSome}`;

/** Of what a command that was not started is told by. */
const shownBytes = 500;

interface Consumption {
	stream: string;
	policy: StreamPolicy;
	part: 'check' | 'restore';
	container: StreamContainer;
	/** Starts what reads it; undefined: it is empty. */
	open: ((signal: AbortSignal) => Promise<Running>) | undefined;
	/** Missing: it need not be told. */
	onBytes?: (bytes: number) => void;
	signal: AbortSignal;
}

/** Resolves when the command exited 0, and whoever read the stream says that it was whole. @returns bytes */
export async function consume(consumption: Consumption): Promise<number> {
	return withinTime(consumption, async signal => pass({...consumption, signal}));
}

async function pass({stream, policy, part, container, open, onBytes, signal}: Consumption): Promise<number> {
	const argv = policy[part];
	if (argv === undefined) {
		throw new RunError(`no \`${label(`stream.${stream}.${part}`)}\` says what takes it`);
	}

	return together({container, signal}, async (either, start) => {
		// A check may know from the beginning.
		const isWatched = part === 'restore' && (await container.hasShell());
		const taking = await start(container.run({argv: isWatched ? ['sh', '-c', wholly, 'sh', ...argv] : argv, stdin: true, signal: either}));
		const said = tailOf(taking.stdout, shownBytes);
		const sink = sinkOf(taking);
		const assertTaken = async () => {
			const exit = await taking.done;
			if (isWatched && exit.exitCode === leftSome) {
				throw new RunError(
					`\`${label(`stream.${stream}.restore`)}\` (\`${argv[0]}\`) exited 0 before it had read all of its standard input: what it left would be missing`,
				);
			}

			assertWell(exit, {stream, policy, part, said: said()});
		};

		let bytes = 0;
		const reading = open && (await start(open(either)));
		if (reading !== undefined) {
			for await (const chunk of reading.stdout as AsyncIterable<Buffer>) {
				// One that has seen enough may leave; the rest is read all the same, so that what is behind it is known to be there.
				if (sink.hasEnded()) {
					await assertTaken();
				}

				await sink.write(chunk);
				bytes += chunk.length;
				onBytes?.(bytes);
			}

			const {exitCode, stderr} = await reading.done;
			if (exitCode !== 0) {
				throw new RunError(`the stream could not be read whole: ${lastLines(stderr)}`);
			}
		}

		sink.end();
		await assertTaken();
		return bytes;
	});
}
