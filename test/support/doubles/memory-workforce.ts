/** Workers that are only hands on a disk in memory. */
import type {Command, Running} from '../../../base/command.ts';
import type {Worker, Workforce} from '../../../docker/worker.ts';
import type {Faults} from './faults.ts';
import {type Disk, printed} from './memory-restic.ts';

/** What the programs say that the kinds of files ask. */
function answer({argv}: Command, disk: Disk): Running {
	const [program, ...words] = argv;
	if (program === 'find' && words.includes('-mindepth')) {
		return printed(disk.has(words[0] ?? '') ? 'something\n' : '');
	}

	if (program === 'stat') {
		return printed(words.includes('--file-system') ? 'ext2/ext3\n' : words.map(() => '1\n').join(''));
	}

	if (program === 'df') {
		const lines = words.map(word => `/dev/sda 9000000000 0 9000000000 0% ${word}`);
		return printed(['Filesystem 1024-blocks Used Available Capacity Mounted on', ...lines].join('\n'));
	}

	return printed(program === 'node' ? '{}' : '');
}

/** @param among also of the commands in workers, some may fail */
export function memoryWorkforce(disk: Disk, among: Faults['among']): Workforce {
	const commands = among('worker', {run: async (command: Command) => answer(command, disk)});
	const worker = async (): Promise<Worker> => ({id: 'worker', name: 'worker', run: async command => commands.run(command)});
	const leaving: Array<() => Promise<void>> = [];
	return {
		...among('workforce', {
			repository: worker,
			further: worker,
			dump: worker,
			client: worker,
			look: worker,
			scratch: async () => ({...(await worker()), dismiss: async () => {}}),
			dismiss: async () => void (await Promise.all(leaving.map(async work => work()))),
		}),
		onDismiss: work => void leaving.push(work),
	};
}
