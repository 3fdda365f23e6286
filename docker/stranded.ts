/**
 * Who lives in the network, PID or IPC namespace of another container is started only while that one runs. The engine knows it by its id: one that was
 * exchanged for another (`docker compose up --force-recreate --no-deps vpn`, Watchtower) leaves those that lived in it where nobody can start them.
 */
import {RunError} from '../base/errors.ts';
import {quote} from '../base/reading/quote.ts';
import {type Container, hostsOf} from './container.ts';
import type {ContainerDetails} from './details.ts';
import type {Engine} from './engine.ts';
import type {Needing} from './order.ts';
import {unlessGone} from './refusal.ts';
import {hostFolderOf} from './storage.ts';

export interface Stranded {
	/** For people, of the container: `it lives in …`. */
	why: string;
	hint: string;
}

/** Once stopped, it could not be started again, or not with what it has. Undefined: it could. Pure. */
export const unstartable = (
	container: Pick<Container, 'name' | 'service' | 'livesIn' | 'mounts'>,
	known: ReadonlyArray<Pick<Container, 'id' | 'name' | 'state'>>,
): Stranded | undefined => strandedIn(container, known) ?? withoutMount(container);

function withoutMount({name, mounts}: Pick<Container, 'name' | 'mounts'>): Stranded | undefined {
	const gone = mounts.find(({isGone}) => isGone);
	return (
		gone && {
			why: `there is nothing any more at ${quote(hostFolderOf(gone) ?? gone.hostPath)} of the host, which it has at ${quote(gone.path)}, so it could not be started again with it`,
			hint: `put it back there, or take it out of the Compose file and recreate \`${name}\``,
		}
	);
}

/** Undefined: what it lives in runs. Pure. */
export function strandedIn(
	{name, service, livesIn = []}: Pick<Container, 'name' | 'service' | 'livesIn'>,
	known: ReadonlyArray<Pick<Container, 'id' | 'name' | 'state'>>,
): Stranded | undefined {
	const what = 'in whose network, PID or IPC namespace it lives';
	const hosts = livesIn.map(host => known.find(({id, name}) => host === id || host === name));
	if (hosts.includes(undefined)) {
		return {
			why: `the container ${what} was replaced, so it could not be started again`,
			hint: `recreate it, so that it joins the new one: ${recreate(name, service)}`,
		};
	}

	// A pause of the host keeps nobody from joining it.
	const down = hosts.find(host => host?.state !== 'running' && host?.state !== 'paused');
	return (
		down && {
			why: `container \`${down.name}\`, ${what}, does not run (${down.state}), so it could not be started again`,
			hint: `start that one first, then what lives in it anew: docker start ${down.name} && docker restart ${name}`,
		}
	);
}

/** The command that makes a container anew. */
const recreate = (name: string, service: string | undefined): string =>
	service === undefined ? `remove \`${name}\` and run it again` : `docker compose up --detach --no-deps --force-recreate ${service}`;

/**
 * Before anybody is touched: what was planned may be old by now.
 * @throws {RunError} that names one that runs and could not be started again
 */
export async function assertStartable(engine: Pick<Engine, 'inspect'>, wanted: readonly Needing[]): Promise<void> {
	const details = await Promise.all(wanted.map(async ({id}) => engine.inspect(id).catch(unlessGone)));
	for (const [index, found] of details.entries()) {
		const stranded = found && isRunning(found) && (await strandedNow(engine, {...found, service: wanted[index]?.service}));
		if (stranded) {
			throw new RunError(`nothing was stopped: of container \`${found.name}\`, ${stranded.why}`, {hint: stranded.hint});
		}
	}
}

const isRunning = ({state}: ContainerDetails): boolean => state === 'running' || state === 'restarting';

async function strandedNow(
	engine: Pick<Engine, 'inspect'>,
	{name, service, networkMode, pidMode, ipcMode}: ContainerDetails & Pick<Needing, 'service'>,
): Promise<Stranded | undefined> {
	const livesIn = hostsOf([networkMode, pidMode, ipcMode]);
	const hosts = await Promise.all(livesIn.map(async host => engine.inspect(host).catch(unlessGone)));
	// An engine takes names and the beginnings of ids, too.
	const known = hosts.flatMap((host, index) => (host === undefined ? [] : [{...host, id: livesIn[index] ?? host.id}]));
	return strandedIn({name, service, livesIn}, known);
}
