/** What an attribute of the file system forbids to change (`chattr +i`, `+a`). */
import * as z from 'zod';
import {succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {shippedProgram} from '../../../base/shipped.ts';
import type {SourceContext} from '../source.ts';

const program = shippedProgram('agent/sources/volume/locked.program');

const answer = z.object({error: z.string().optional(), locked: z.array(z.string()).default([])});

/** @param exclude patterns from the root @returns some of it, from the root */
export async function lockedIn(
	{name, path, exclude}: {name: string; path: string; exclude: readonly string[]},
	{worker, signal}: Pick<SourceContext, 'worker' | 'signal'>,
): Promise<string[]> {
	const argv = [...program, path, JSON.stringify(exclude)] as const;
	const {error, locked} = answer.parse(JSON.parse(await succeed(worker, {argv, signal})));
	if (error !== undefined) {
		throw new RunError(`\`${name}\`: ${error}`);
	}

	return locked;
}

/** For people: no point keeps what `chattr` says of files. What cannot be looked at keeps nobody from being backed up. */
export async function lossesOfLocked(...asked: Parameters<typeof lockedIn>): Promise<string[]> {
	const [{name}, {signal}] = asked;
	const locked = await lockedIn(...asked).catch(() => []);
	signal.throwIfAborted();
	return locked.length === 0
		? []
		: [
				`\`${name}\`: no point keeps what \`chattr\` says, as of ${locked.map(path => `\`${path}\``).join(', ')} (immutable or append-only): give it again after a restore, which refuses to write over such files`,
			];
}
