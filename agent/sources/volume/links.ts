/**
 * A file that has several names, and of which restic (0.19) finds a part of what it is to write: it makes a new file, and leaves that part out of it. What
 * was the same before is zeros afterwards, and restic calls that a success. So such a file is taken away before: what is not there is written whole.
 */
import {lastLines, output, type Place} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {shippedProgram} from '../../../base/shipped.ts';
import type {Restic, RestoreOptions} from '../../restic/restic.ts';
import {answered} from './answered.ts';

const program = shippedProgram('agent/sources/volume/links.program');

interface Parting {
	restic: Pick<Restic, 'changed'>;
	worker: Place;
	/** The restore that is about to be made. */
	whole: RestoreOptions;
}

/** Of the files that a restore will change, those that have several names lose the ones that it writes. Nobody may write there meanwhile. */
export async function partLinks({restic, worker, whole}: Parting): Promise<void> {
	const {into, signal} = whole;
	const argv = ['find', into, '-type', 'f', '-links', '+1', '-print', '-quit'] as const;
	const {exitCode, stdout, stderr} = await output(worker, {argv, signal});
	if (exitCode !== 0) {
		throw new RunError(`${into} cannot be searched for files of several names: ${lastLines(stderr)}`);
	}

	if (stdout === '') {
		return;
	}

	const running = await worker({argv: [...program, into], stdin: true, signal});
	const naming = restic
		.changed({...whole, delete: false, onProgress: undefined}, path => {
			running.stdin.write(`${path}\0`);
		})
		.then(
			() => running.stdin.end(),
			async (error: unknown) => {
				await running.kill();
				throw error;
			},
		);
	await Promise.all([answered(running), naming]);
}
