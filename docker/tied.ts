/**
 * The containers of a run's workers: made with what all of them have, and tied to the agent. The first that has the staging folder makes its volume,
 * nameless: the engine removes it with that worker, also where nobody is left to ask for it.
 */
import type {CreateOptions} from './calls/containers.ts';
import {workerLabel} from './container.ts';
import {agentLabel, removeAll} from './dismiss.ts';
import type {Engine} from './engine.ts';
import {inContainer} from './exec.ts';
import type {Self} from './self.ts';
import {borrowersGraceSeconds, lifelineOf, type Tether, tether} from './tether.ts';
import {staging, type Worker} from './worker.ts';
import {assertSubpaths, engineMount, volumeAt, type WorkerMount} from './worker-mounts.ts';

const own = lifelineOf({last: 'restic'});
const borrowing = lifelineOf({last: 'restic', grace: borrowersGraceSeconds});
/** Longer than those who have the folder of it, and their restic, may take. */
const keeping = lifelineOf({grace: 25});

/** What a container of the image runs: it lives as long as its tie. */
export const alive = ({life}: Tether): string[] => ['/usr/bin/tini', '--', ...life];

type Create = (name: string, options: CreateOptions, mounts: readonly WorkerMount[]) => Promise<string>;

export interface Tied {
	/** A volume of a run's own, removed with it. */
	readonly labels: Readonly<Record<string, string>>;
	/** @returns its id */
	create: Create;
	/** The same, with the staging folder. */
	createStaged: Create;
	/** Only as long as the agent lives: else it would keep volumes and networks from being removed. */
	start: (id: string, name: string, tie: Tether) => Promise<Worker>;
	/** What ties one that is made next with the staging folder: who has it of another goes before that one does. */
	tie: () => Tether;
	/** Mounts of the staging folder, at further places: who has it at two must call it by a name. */
	withStaging: (mounts: readonly WorkerMount[]) => Promise<WorkerMount[]>;
	/** How many were made. */
	count: () => number;
	/** As a `Workforce` does it. */
	onDismiss: (work: () => Promise<void>) => void;
	/** Removes all that was made. Every removal is tried. */
	dismiss: () => Promise<void>;
}

interface TiedOptions {
	engine: Engine;
	self: Pick<Self, 'image' | 'inherited'>;
	agentId: string;
	run: string;
}

export const stagingMount = {type: 'volume', to: staging, readOnly: false} as const;

export function createTied({engine, self, agentId, run}: TiedOptions): Tied {
	const labels = {[workerLabel]: run, [agentLabel]: agentId};
	const workers: string[] = [];
	const tethers: Array<() => void> = [];
	const leaving: Array<() => Promise<void>> = [];
	/** Its name. */
	let stagingVolume: Promise<string> | undefined;
	const {limits, isolation} = self.inherited;

	const create: Create = async (name, options, mounts) => {
		const {HostConfig: hostConfig, ...rest} = options;
		const id = await engine.create(name, {
			Image: self.image,
			Labels: labels,
			Entrypoint: alive(own),
			Cmd: [],
			User: '0:0',
			// The image's own asks the agent, and there is none in here.
			Healthcheck: {Test: ['NONE']},
			WorkingDir: '/',
			...rest,
			HostConfig: {
				ReadonlyRootfs: true,
				CapDrop: ['ALL'],
				...limits,
				...isolation,
				SecurityOpt: ['no-new-privileges', ...(isolation.SecurityOpt ?? [])],
				AutoRemove: true,
				Tmpfs: {'/tmp': 'rw,nosuid,nodev'},
				Mounts: mounts.map(engineMount),
				...hostConfig,
			},
		});
		workers.push(id);
		await assertSubpaths(engine, id, mounts);
		return id;
	};

	const createStaged: Create = async (name, options, mounts) => {
		const createAt = async (from: string) => create(name, options, [{...stagingMount, labels, from}, ...mounts]);
		if (stagingVolume !== undefined) {
			return createAt(await stagingVolume);
		}

		const first = createAt('');
		stagingVolume = first.then(async id => volumeAt(engine, id, staging));
		stagingVolume.catch(() => {
			stagingVolume = undefined;
		});
		await stagingVolume;
		return first;
	};

	const start: Tied['start'] = async (id, name, tie) => {
		await engine.start(id);
		tethers.push(tether(engine, id, tie));
		return {id, name, run: inContainer(engine, id)};
	};

	/** It is the volume of a worker that has it, and does nothing. */
	const keepStaging = async (): Promise<void> => {
		const name = `holdfast-staging-${run}`;
		await start(await createStaged(name, {Entrypoint: alive(keeping), HostConfig: {NetworkMode: 'none'}}, []), name, keeping);
	};

	return {
		labels,
		create,
		createStaged,
		start,
		tie: () => (stagingVolume === undefined ? own : borrowing),
		async withStaging(mounts) {
			if (stagingVolume === undefined && mounts.some(({from}) => from === staging)) {
				await keepStaging();
			}

			const from = await stagingVolume;
			return mounts.map(mount => (mount.from === staging && from !== undefined ? {...stagingMount, labels, ...mount, from} : mount));
		},
		count: () => workers.length,
		onDismiss: work => void leaving.push(work),
		async dismiss() {
			await Promise.all(leaving.map(async work => work()));
			for (const letGo of tethers) {
				letGo();
			}

			const volume = await stagingVolume?.catch(() => undefined);
			await removeAll(engine, workers, volume === undefined ? [] : [volume]);
		},
	};
}
