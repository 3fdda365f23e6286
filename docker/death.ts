/** How a container ended, as the engine remembers it: one that removes itself takes what it would say with it. */
import {killedCode} from '../base/command.ts';
import {RunError} from '../base/errors.ts';
import type {Engine} from './engine.ts';
import {statusOf} from './refusal.ts';

/** Whether the engine refuses a command because the container does not run any more; one that is paused does. */
export const refusesTheDead = (error: unknown): boolean =>
	(statusOf(error) === 409 && /is not running/.test((error as Error).message)) ||
	(statusOf(error) === 404 && /no such container/i.test((error as Error).message));

/** @param when what it kept from being done, as in `before \`restic\` could begin in it` */
export async function toldDead(
	engine: Engine,
	id: string,
	when: string,
	{outOfMemory = false, cause}: {outOfMemory?: boolean; cause?: unknown} = {},
): Promise<RunError> {
	const death = await engine.death(id).catch(() => undefined);
	const name = death?.name === undefined ? id.slice(0, 12) : `\`${death.name}\``;
	const how = outOfMemory ? ', out of memory' : codeOf(death?.exitCode);
	return new RunError(`container ${name} ended${how} ${when}`, {cause});
}

const codeOf = (exitCode: number | undefined): string => {
	if (exitCode === undefined) {
		return '';
	}

	return exitCode === killedCode ? `, killed by somebody (exit code ${exitCode}),` : `, with exit code ${exitCode},`;
};
