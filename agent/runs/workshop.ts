/** The workshop: where runs are made. */
import {join} from 'node:path';
import type {Place} from '../../base/command.ts';
import {here} from '../../base/here.ts';
import type {Engine} from '../../docker/engine.ts';
import {hireWorkers} from '../../docker/hire.ts';
import type {Journal} from '../../docker/resume.ts';
import type {Self} from '../../docker/self.ts';
import {findSelf} from '../../docker/self.ts';
import type {Workforce} from '../../docker/worker.ts';
import type {Config} from '../config/config.ts';
import {type Ownership, ownershipOf} from '../repository/owner.ts';
import {createRestic} from '../restic/create.ts';
import {folderOf} from '../restic/repository.ts';
import type {Restic, ResticOptions} from '../restic/restic.ts';
import type {State} from '../state/state.ts';

/** What all runs of an agent have in common. */
export interface Workshop {
	engine: Engine;
	self: Self;
	journal: Journal;
	agentId: string;
	/** No repository, and no copy, is reached through a network. */
	offline: boolean;
	/** Whose points are, as it is known now. */
	ownership: () => Ownership;
	/** The name under which snapshots are kept: the engine's, or `HOLDFAST_HOST`. */
	host: string;
	versions: {holdfast: string; restic: string; engine: string};
	/** Where the manifest is made whole before it is published. */
	folder: string;
	/** restic on the repository of the agent: *here*, or in a worker. */
	restic: (place?: Place, options?: ResticOptions) => Restic;
	/** The workers of one run. */
	hire: (run: string) => Promise<Workforce>;
}

export async function createWorkshop(
	config: Config,
	{engine, state, version}: {engine: Engine; state: State; version: string},
): Promise<Workshop> {
	const self = await findSelf(engine, {
		image: config.image,
		container: config.container,
		stateDirectory: config.stateDirectory,
		keysDirectory: config.engineKeys?.folder,
		limits: config.workerLimits,
	});
	const restic = (place: Place = here, options?: ResticOptions) => createRestic(place, config.repository, options);
	const {name, version: engineVersion} = await engine.info();
	const {agentId} = state;
	const all = [config.repository, ...config.copies.map(({repository}) => repository)];
	const offline = all.every(repository => folderOf(repository) !== undefined);
	// ssh asks for the account that is called as the user here is.
	const namesRoot = !all.some(({location}) => location.startsWith('sftp:'));
	return {
		engine,
		self,
		journal: state,
		agentId,
		offline,
		ownership: () => ownershipOf(state),
		host: config.host ?? name,
		versions: {holdfast: version, engine: engineVersion, restic: await restic().version()},
		folder: join(config.stateDirectory, 'manifests'),
		restic,
		hire: async run => hireWorkers({engine, self, agentId, offline, namesRoot, run, cacheDirectory: config.repository.cacheDirectory}),
	};
}
