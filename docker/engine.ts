/** The Docker Engine: all that is asked of it, by its subject in `calls/`, and nowhere else. */

import {connect, type EngineKeys} from './calls/client.ts';
import {type Commands, commands} from './calls/commands.ts';
import {type Containers, containers} from './calls/containers.ts';
import {type Events, events} from './calls/events.ts';
import {type Files, files} from './calls/files.ts';
import {type About, about} from './calls/info.ts';
import {type Services, services} from './calls/services.ts';
import {type Volumes, volumes} from './calls/volumes.ts';

export interface Engine extends About, Containers, Commands, Files, Volumes, Services, Events {
	/** Where the engine is, for messages. */
	readonly address: string;
}

/** @param address as in `DOCKER_HOST`; nothing is asked of it yet */
export function connectEngine(address: string, keys?: EngineKeys): Engine {
	const client = connect(address, keys);
	const others = {...volumes(client), ...services(client)};
	return {
		address,
		...about(client),
		...containers(client, others),
		...commands(client),
		...files(client),
		...others,
		...events(client),
	};
}
