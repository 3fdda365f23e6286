/** A second pass that waits for the moment at the repository's door, and dies there: another takes its place. Lane: waits. */
import {readFileSync} from 'node:fs';
import test from 'ava';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {findProcesses, killProcesses, runs, signalProcesses} from '../../support/machine/processes.ts';
import {observeBackup} from '../../support/stack/observe.ts';
import {plainReader, readerService} from '../../support/stack/reader.ts';
import {startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** As much as it is given before it is known to wait. */
const fillerBytes = 2 * 1024 ** 2;

/** How much a process has read, in bytes; none where it is gone. */
function readBy(pid: number): number {
	try {
		return Number(/rchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
	} catch {
		return 0;
	}
}

test('a restic that is killed while it waits is replaced: the run succeeds, and its point is whole', async t => {
	t.timeout(5 * 60_000);
	const stack = await startStack(t, {
		volumes: ['still', 'busy'],
		services: {
			app: {
				image: await ensureImage('holdfast-test/app:latest'),
				init: true,
				command: ['sleep', 'infinity'],
				volumes: ['still:/still', 'busy:/busy'],
				labels: {'holdfast.enable': 'true'},
			},
			reader: readerService(),
		},
	});
	const target = `${stack.project}/app`;
	const write = async (word: string, volume: string) => stack.exec('app', 'sh', '-c', `echo ${word} >/${volume}/word`);
	await write('first', 'still');
	await write('first', 'busy');
	// What was written just before a backup is read again by the next one, and nothing waits until that is done.
	for (let backups = 0; backups < 2; backups++) {
		t.is((await stack.backup(target))[0]?.outcome, 'success');
	}

	// So much is read while the application runs: the second pass of the other waits for that.
	await stack.exec('app', 'sh', '-c', 'head -c 60000000 /dev/urandom >/busy/more');
	await write('second', 'busy');

	const isOf = (volume: string, isHeld: boolean) => (argv: readonly string[]) =>
		runs(argv, 'restic') &&
		argv.includes('backup') &&
		argv.includes('--exclude-file=/dev/stdin') === isHeld &&
		argv.some(word => word.startsWith(`/${target}/`) && word.endsWith(`/${volume}`));
	let killed: Promise<number> | undefined;
	const {result} = await observeBackup(stack, target, event => {
		if (event.type === 'step' && event.step === 'first-pass') {
			killed ??= killWaiting();
		}
	});

	async function killWaiting(): Promise<number> {
		await until('the first pass of the other volume', () => signalProcesses('SIGSTOP', isOf('busy', false)) > 0, {interval: 1});
		try {
			const waits = () => findProcesses(isOf('still', true)).filter(({pid}) => readBy(pid) >= fillerBytes);
			await until('it to wait', () => waits().length > 0, {interval: 5});
			const count = killProcesses(isOf('still', true));
			await until('it to be gone', () => waits().length === 0, {interval: 5});
			return count;
		} finally {
			signalProcesses('SIGCONT', isOf('busy', false));
		}
	}

	t.is(await killed, 1);
	t.is(result.outcome, 'success', result.error);
	t.is(result.point, result.run);
	const reader = plainReader(stack);
	const snapshots = await reader.snapshots('holdfast', `run:${result.run}`);
	t.is(snapshots.length, 3, 'two volumes and the manifest');
	const words = await Promise.all(
		['still', 'busy'].map(async volume => {
			const found = snapshots.find(({tags}) => tags.includes(`source:volume:/${volume}`));
			return String(await reader.dump(found?.id ?? '', `${found?.paths[0]}/word`));
		}),
	);
	t.deepEqual(words, ['first\n', 'second\n']);
	t.is(await docker(['inspect', '--format', '{{.State.Status}}', stack.container('app')]), 'running');
});
