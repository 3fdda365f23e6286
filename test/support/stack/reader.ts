/** A container that has restic and the repository of a stack, and nothing else to do with Holdfast: it reads what was backed up. */
import {execa} from 'execa';
import type {Service, Stack} from '../stack.ts';

export interface PlainSnapshot {
	id: string;
	time: string;
	hostname: string;
	paths: string[];
	tags: string[];
}

/** The service to add to a stack. */
export const readerService = (): Service => ({
	image: process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev',
	entrypoint: ['sleep', 'infinity'],
	init: true,
	healthcheck: {disable: true},
	environment: {RESTIC_REPOSITORY: '/repository', RESTIC_PASSWORD_FILE: '/state/repository-password', RESTIC_CACHE_DIR: '/tmp/cache'},
	volumes: ['hf-repository:/repository', 'hf-state:/state:ro'],
});

export interface Reader {
	snapshots: (...tags: string[]) => Promise<PlainSnapshot[]>;
	/** The snapshot of a source in a run. Fails unless there is exactly one. */
	snapshotOf: (run: string, source: string) => Promise<PlainSnapshot>;
	/** The content of one file. */
	dump: (snapshot: string, path: string) => Promise<Buffer>;
	/** Names in a snapshot, relative to a folder of it. */
	list: (snapshot: string, folder: string) => Promise<string[]>;
	/** Restores a folder of a snapshot, with owners; gives the folder in the reader's container. */
	restore: (snapshot: string, folder: string) => Promise<string>;
}

/** Puts bytes into a file of a service's container, from where its own programs can read them. */
export const put = async ({container}: Pick<Stack, 'container'>, service: string, path: string, content: Buffer): Promise<void> => {
	await execa('docker', ['exec', '--interactive', container(service), 'sh', '-c', 'cat >"$1"', 'sh', path], {input: content});
};

/** @param service the name under which `readerService` was added */
export const plainReader = ({container}: Pick<Stack, 'container'>, service = 'reader'): Reader => {
	const restic = async (...args: string[]): Promise<Buffer> => {
		const {stdout} = await execa('docker', ['exec', container(service), 'restic', '--no-lock', '--quiet', ...args], {
			encoding: 'buffer',
			stripFinalNewline: false,
			maxBuffer: 256_000_000,
		});
		return Buffer.from(stdout);
	};
	const snapshots = async (...tags: string[]) =>
		JSON.parse((await restic('snapshots', '--json', ...(tags.length > 0 ? ['--tag', tags.join(',')] : []))).toString()) as PlainSnapshot[];
	let restored = 0;

	return {
		snapshots,
		async snapshotOf(run, source) {
			const found = await snapshots(`run:${run}`, `source:${source}`);
			const [only] = found;
			if (only === undefined || found.length > 1) {
				throw new Error(`run ${run} has ${found.length} snapshots of ${source}`);
			}

			return only;
		},
		dump: (snapshot, path) => restic('dump', snapshot, path),
		async list(snapshot, folder) {
			const lines = (await restic('ls', '--json', '--recursive', snapshot, folder)).toString().split('\n').filter(Boolean);
			return lines
				.map(line => JSON.parse(line) as {path?: string})
				.flatMap(({path}) => (path?.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : []));
		},
		async restore(snapshot, folder) {
			restored += 1;
			const into = `/tmp/restored-${restored}`;
			await restic('restore', '--target', into, `${snapshot}:${folder}`);
			return into;
		},
	};
};
