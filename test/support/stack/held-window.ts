/** The window of a backup, for as long as a test wants it. */
import {runs, signalProcesses} from '../machine/processes.ts';
import type {Stack} from '../stack.ts';
import {until} from '../until.ts';
import {observeBackup} from './observe.ts';

/** A backup whose restic is held, from before the window until `work` is done in it; or to the end, where it is killed. The target needs files that restic reads for a moment. */
export async function heldWindow(stack: Stack, target: string, work: () => Promise<unknown>): ReturnType<typeof observeBackup> {
	const isRestic = (argv: readonly string[]) => runs(argv, 'restic') && argv.some(word => word.includes(`/${target}/`));
	let held: Promise<unknown> | undefined;
	return observeBackup(stack, target, async event => {
		if (event.type === 'step' && event.step === 'quiesce') {
			held ??= until('restic to be held', () => signalProcesses('SIGSTOP', isRestic) > 0, {interval: 2});
		} else if (event.type === 'step' && event.step === 'pin') {
			await held;
			await work();
			signalProcesses('SIGCONT', isRestic);
		}
	});
}
