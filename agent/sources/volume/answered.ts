/** The end of a program of ours in a worker, of which little is wanted but that it was done. */
import * as z from 'zod';
import {lastLines, printedBy, type Running} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';

const answer = z.object({error: z.string().optional(), left: z.array(z.string()).default([])});

/** @returns what it left as it was @throws {RunError} with what it says is wrong */
export async function answered(running: Pick<Running, 'stdout' | 'done' | 'kill'>): Promise<string[]> {
	const [said, {exitCode, stderr}] = await Promise.all([printedBy(running), running.done]);
	const {error, left} = exitCode === 0 ? answer.parse(JSON.parse(said)) : {error: lastLines(stderr), left: []};
	if (error !== undefined) {
		throw new RunError(error);
	}

	return left;
}
