/** An agent whose engine was started anew may have a socket mounted that nobody listens to any more: only a start of its container mounts the new one. */
import type {Log} from '../../base/log.ts';

interface Stranding {
	/** Of the engine, as the agent has it. */
	address: string;
	log: Pick<Log, 'error'>;
	/** Whether the engine starts the agent's container again by itself, as it is known by then. */
	restarts: () => boolean;
	/** Ends the agent. */
	onStranded: () => void;
}

/**
 * Whom nobody would start again does not end: it says what a person can do. Never rejects.
 * @param stale resolves when nobody listens at the socket any more
 */
export async function endOnceStranded(stale: Promise<void>, {address, log, restarts, onStranded}: Stranding): Promise<void> {
	const isStranded = await stale.then(
		() => true,
		() => false,
	);
	if (!isStranded) {
		return;
	}

	const isStartedAgain = restarts();
	const next = isStartedAgain
		? 'the agent ends, to be started again with that'
		: 'start this container again (docker restart); with `restart: always` it does so by itself';
	log.error(`\`${address}\`, as it is mounted here, is the socket of an engine that was started anew since, with another socket: ${next}`);
	if (isStartedAgain) {
		onStranded();
	}
}
