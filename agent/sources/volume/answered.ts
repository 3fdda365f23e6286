/** The end of a program of ours in a worker, of which nothing is wanted but that it was done. */
import * as z from 'zod';
import {lastLines, printedBy, type Running} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';

const answer = z.object({error: z.string().optional()});

/** @throws {RunError} with what it says is wrong */
export async function answered(running: Running): Promise<void> {
	const [said, {exitCode, stderr}] = await Promise.all([printedBy(running), running.done]);
	const {error} = exitCode === 0 ? answer.parse(JSON.parse(said)) : {error: lastLines(stderr)};
	if (error !== undefined) {
		throw new RunError(error);
	}
}
