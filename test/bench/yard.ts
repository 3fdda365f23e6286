/** What is measured on: a stack with Holdfast beside databases and applications, and plain restic where their data is. */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {RunEvent, Step} from '../../base/events.ts';
import type {BackupResult, RestoreResult} from '../../base/results.ts';
import {docker} from '../support/docker.ts';
import {ensureImage} from '../support/images.ts';
import {type Service, type Stack, startStack} from '../support/stack.ts';

export interface Yard {
	stack: Stack;
	/** Runs a shell script in a service's container. `$1` … are the arguments. @returns its milliseconds by the container's own clock */
	timed: (service: string, script: string, ...args: string[]) => Promise<number>;
	/** A backup of `<project>/<service>`. @throws when it is no success */
	backup: (service: string) => Promise<Run>;
	/** A restore of its newest point. @throws when it is no success */
	restore: (service: string) => Promise<Restored>;
	/** Makes an empty repository for plain restic in a service's container. */
	plainRepository: (service: string, name: string) => Promise<void>;
	/** Most memory that the agent's process has ever had, in bytes. */
	agentPeak: () => Promise<number>;
	close: () => Promise<void>;
}

export interface Timed {
	wholeMs: number;
	/** From the first event of one step to the first event of another. */
	between: (from: Step, to: Step) => number;
}

export interface Run extends Timed {
	result: BackupResult;
}

export interface Restored extends Timed {
	result: RestoreResult;
}

/** Where services keep what is measured against: not on the file system of the container. */
export const plainVolume = 'plain:/plain';

/** For plain restic in a service's container: `restic --repo=/plain/NAME`. */
export const plainEnvironment = {RESTIC_PASSWORD: 'plain', RESTIC_CACHE_DIR: '/plain/cache'};

const agentProcess =
	'for p in /proc/[0-9]*; do grep -q "main.js" $p/cmdline && grep VmHWM $p/status; done 2>/dev/null | sort -k2 -n | tail -1';

/** Each service gets restic beside its own programs. */
export async function openYard(services: Record<string, Service>, volumes: readonly string[], holdfast: Service = {}): Promise<Yard> {
	const undo: Array<() => unknown> = [];
	const stack = await startStack(
		{teardown: (work: () => unknown) => void undo.push(work)},
		{slowKey: true, services, volumes: ['plain', ...volumes], holdfast},
	);
	await copyRestic(stack, Object.keys(services));

	const timed = async (service: string, script: string, ...args: string[]): Promise<number> => {
		// What was written before is nobody's to wait for: Holdfast writes everything back first, plain restic does not
		const measuring = `sync; begun=$(date +%s%N); {\n${script}\n} >&2 || exit 1\necho $((($(date +%s%N) - begun) / 1000000))`;
		return Number(await stack.exec(service, 'bash', '-o', 'pipefail', '-c', measuring, 'bash', ...args));
	};

	const timedRun = async <Result extends BackupResult | RestoreResult>(
		work: () => Promise<Result | undefined>,
	): Promise<Timed & {result: Result}> => {
		await stack.exec('holdfast', 'sync');
		const begun = performance.now();
		const result = await work();
		const wholeMs = performance.now() - begun;
		if (result?.outcome !== 'success') {
			throw new Error(`The run was no success: ${JSON.stringify(result)}`);
		}

		const events: RunEvent[] = [];
		for await (const event of stack.follow(result.run)) {
			events.push(event);
		}

		const at = (step: Step) => events.find(event => event.type === 'step' && event.step === step)?.at ?? Number.NaN;
		return {result, wholeMs, between: (from, to) => at(to) - at(from)};
	};

	return {
		stack,
		timed,
		backup: async service => timedRun(async () => (await stack.backup(`${stack.project}/${service}`))[0]),
		restore: async service => timedRun(async () => stack.restore(`${stack.project}/${service}`)),
		async plainRepository(service, name) {
			await stack.exec(service, 'restic', `--repo=/plain/${name}`, 'init');
		},
		async agentPeak() {
			const line = await stack.exec('holdfast', 'sh', '-c', agentProcess);
			return Number(/(\d+) kB/.exec(line)?.[1]) * 1024;
		},
		async close() {
			for (const work of undo) {
				await work();
			}
		},
	};
}

/** The same restic as Holdfast's own. */
async function copyRestic({container}: Stack, services: readonly string[]): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
	try {
		const file = join(folder, 'restic');
		await docker(['cp', `${container('holdfast')}:/usr/local/bin/restic`, file]);
		for (const service of services) {
			await docker(['cp', file, `${container(service)}:/usr/local/bin/restic`]);
		}
	} finally {
		await rm(folder, {recursive: true, force: true});
	}
}

/** A Postgres server with the database `bench`. */
export const postgresService = async (more: Service = {}): Promise<Service> => ({
	image: await ensureImage('postgres:17'),
	environment: {POSTGRES_PASSWORD: 'bench', POSTGRES_DB: 'bench', ...plainEnvironment},
	command: ['postgres', '-c', 'fsync=off', '-c', 'max_wal_size=8GB', '-c', 'autovacuum=off'],
	shm_size: '256m',
	volumes: [plainVolume],
	labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'bench'},
	...more,
});

/** Over TCP, because the server that first runs the start scripts listens on its socket only. */
export const serverAnswers = ['pg_isready', '--quiet', '--host=127.0.0.1', '--dbname=bench'] as const;

/**
 * Who comes first has the better of a virtual machine whose free memory goes back to its host: the packs of the first fill what the stack before
 * has just left, and those of all others memory that the host must find first (2 GB; `perf` saw a fifth of the samples in that copying; that it
 * is the host's memory is what fits, not proven). So each comes first in every other round, and each round has a stack of its own.
 */
export async function inTurn<Ours>(round: number, plain: () => Promise<number>, ours: () => Promise<Ours>): Promise<[number, Ours]> {
	if (round % 2 === 0) {
		return [await plain(), await ours()];
	}

	const first = await ours();
	return [await plain(), first];
}
