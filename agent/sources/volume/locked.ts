import * as z from 'zod';
import {succeed} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {shippedProgram} from '../../../base/shipped.ts';
import type {RoomContext} from '../kind.ts';
import {workerMount} from '../mounts.ts';
import type {RestoringSource} from '../restoring.ts';
import type {PlannedVolume} from './plan.ts';
import {comparing} from './restore.ts';

const program = shippedProgram('agent/sources/volume/locked.program');

const answer = z.object({error: z.string().optional(), locked: z.array(z.string()).default([])});

/** Such files can be neither written nor moved nor, after an undo or a finish, removed; the application would stand still until that is seen. */
export async function lockedProblems(source: RestoringSource<PlannedVolume>, {worker, all, signal}: RoomContext): Promise<string[]> {
	const {name, target, paths} = source;
	if (paths !== undefined) {
		return [];
	}

	const {to} = workerMount(target, source);
	const exclude = JSON.stringify(comparing(source, all).exclude ?? []);
	const argv = [...program, to, exclude] as const;
	const {error, locked} = answer.parse(JSON.parse(await succeed(worker, {argv, signal})));
	if (error !== undefined) {
		throw new RunError(`\`${name}\`: ${error}`);
	}

	return locked.length === 0
		? []
		: [
				`\`${name}\`: nobody may change ${locked.join(', ')} (immutable or append-only: \`chattr +i\`, \`+a\`); take that away before, \`chattr -R -i -a\` on the host, and give it back after the restore`,
			];
}
