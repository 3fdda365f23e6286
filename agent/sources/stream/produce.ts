/** The dump of a stream, on its way from its producer to where it is kept, judged as it passes. */
import {lastLines, type Place, type Running} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {tailOf} from '../../../base/tail.ts';
import {room} from '../../../base/units.ts';
import {assertWell, type StreamContainer, withinTime} from './container.ts';
import {sinkOf} from './flow.ts';
import type {PlannedStream} from './plan.ts';
import {together} from './together.ts';

/** It wrote nothing, and exited 0. */
export class EmptyStreamError extends RunError {}

/** Of what a command that was not started is told by. */
const shownBytes = 500;

interface Production {
	planned: Pick<PlannedStream, 'stream' | 'policy'>;
	container: StreamContainer;
	/** Has the file. */
	worker: Place;
	/** Or a FIFO. */
	file: string;
	/** Bytes. */
	limit: number;
	signal: AbortSignal;
}

/** Resolves when the producer exited 0, had written something, and the check accepted all of it. @returns bytes */
export async function produce(production: Production): Promise<number> {
	const {
		planned: {stream, policy},
		signal,
	} = production;
	return withinTime({stream, policy, part: 'producer', signal}, async limited => pass({...production, signal: limited}));
}

async function pass({planned: {stream, policy}, container, worker, file, limit, signal}: Production): Promise<number> {
	return together({container, signal}, async (either, start) => {
		const keeping = await start(worker({argv: ['sh', '-c', 'cat >"$1"', 'sh', file], stdin: true, signal: either}));
		keeping.stdout.resume();
		const judging = policy.check && (await start(container.run({argv: policy.check, stdin: true, signal: either})));
		const judged = judging && tailOf(judging.stdout, shownBytes);
		const producing = await start(container.run({argv: policy.argv, signal: either}));
		const keep = sinkOf(keeping);
		const judge = judging && sinkOf(judging);
		let bytes = 0;
		let beginning = '';
		for await (const chunk of producing.stdout as AsyncIterable<Buffer>) {
			beginning ||= chunk.subarray(0, shownBytes).toString();
			bytes += chunk.length;
			if (bytes > limit) {
				throw new RunError(
					`there is too little room for what \`stream:${stream}\` writes, which is laid aside before it is stored: it is more than ${room(limit)}`,
					{hint: `make room on the disk of the engine (\`docker system df\`), or let \`stream.${stream}.moment\` be \`after\``},
				);
			}

			if (keep.hasEnded()) {
				await handedOn(keeping, {hasAll: false});
			}

			if (judging !== undefined && judge?.hasEnded()) {
				assertWell(await judging.done, {stream, policy, part: 'check', said: judged?.() ?? ''});
			}

			await Promise.all([keep.write(chunk), judge?.write(chunk)]);
		}

		assertWell(await producing.done, {stream, policy, part: 'producer', said: beginning});
		if (bytes === 0) {
			throw new EmptyStreamError(`\`${policy.argv[0]}\` exited 0, and wrote nothing to its standard output`, {
				hint: 'a dump holds something even of what is empty: what goes to files, or to the error output, is not kept',
			});
		}

		judge?.end();
		if (judging !== undefined) {
			assertWell(await judging.done, {stream, policy, part: 'check', said: judged?.() ?? ''});
		}

		keep.end();
		await handedOn(keeping, {hasAll: true});
		return bytes;
	});
}

/** @throws where it was given less than all, too: then it ended before */
async function handedOn({done}: Running, {hasAll}: {hasAll: boolean}): Promise<void> {
	const {exitCode, stderr} = await done;
	if (exitCode !== 0 || !hasAll) {
		throw new RunError(`the stream could not be handed on: ${lastLines(stderr)}`);
	}
}
