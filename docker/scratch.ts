/** A container of any image for a drill: idle, with nobody's mounts, and a volume of its own to write to. */
import {removeAll} from './dismiss.ts';
import type {Engine} from './engine.ts';
import {lackedPrograms, lend} from './lend.ts';
import {lifelineAnywhere} from './tether.ts';
import {stagingMount, type Tied} from './tied.ts';
import {type ScratchWorker, scratchFolder} from './worker.ts';

const anywhere = lifelineAnywhere();

/** What a drill's container may take of the host: enough to load any database, slowly. Its memory is its own, whatever the agent may have. */
const scratchLimits = {
	Memory: 2 * 1024 ** 3,
	MemorySwap: 0,
	MemoryReservation: 0,
	ShmSize: 512 * 1024 ** 2,
	PidsLimit: 1024,
	CpuShares: 512,
};

export async function hireScratch(
	engine: Engine,
	{create, start, labels}: Tied,
	{name, image, env}: {name: string; image: string; env: Readonly<Record<string, string>>},
): Promise<ScratchWorker> {
	const Env = Object.entries(env).map(([variable, value]) => `${variable}=${value}`);
	// It has nobody's files: where the agent is outside of the engine's user namespace, it is inside, as its volume is.
	const HostConfig = {NetworkMode: 'none', UsernsMode: '', ...scratchLimits};
	const createScratch = async (root: {ReadonlyRootfs: boolean}): Promise<string> =>
		create(name, {Image: image, Entrypoint: anywhere.life, Env, HostConfig: {...HostConfig, ...root}}, [
			{...stagingMount, labels, from: '', to: scratchFolder},
		]);
	let id = await createScratch({ReadonlyRootfs: true});
	const lacking = await lackedPrograms(engine, id);
	if (lacking.length > 0) {
		await engine.remove(id);
		// Into a root that is read-only the engine puts nothing.
		id = await createScratch({ReadonlyRootfs: false});
		await lend(engine, id, lacking);
	}

	const worker = await start(id, name, anywhere);
	return {...worker, dismiss: async () => removeAll(engine, [id], [])};
}
