/** The process of a server in a container: which it is, and who runs it. */
import {output, type Place} from '../../base/command.ts';
import {RunError} from '../../base/errors.ts';
import {label} from '../../base/label.ts';
import type {Container} from '../../docker/container.ts';
import type {ContainerDetails} from '../../docker/details.ts';
import type {Engine} from '../../docker/engine.ts';
import {inContainer} from '../../docker/exec.ts';

/**
 * `sh -c SCRIPT sh NAME …` says the control groups of itself and of the first process, then finds processes of these names, as the kernel has them (15 bytes), and says who they run as: pid, uid, gid, control
 * group, and its arguments. The container's first process may be an init or a supervisor; with the host's pid namespace, or another container's, those of others are seen too.
 */
const find = `{
	own= first=
	read -r own </proc/self/cgroup
	read -r first </proc/1/cgroup
	echo "$own"; echo "$first"
	for process in /proc/[0-9]*; do
		name= uid= gid= group=
		read -r name <"$process/comm"
		known=
		for wanted; do [ "$name" != "$wanted" ] || known=1; done
		[ -n "$known" ] || continue
		while read -r key value _; do case $key in Uid:) uid=$value;; Gid:) gid=$value;; esac; done <"$process/status"
		read -r group <"$process/cgroup"
		[ -z "$gid" ] || echo "\${process#/proc/} $uid $gid $group$(printf '\\037')$(tr '\\0\\n' '\\n ' <"$process/cmdline" | tr '\\n' '\\037')"
	done
} 2>/dev/null`;

export interface ServerFound {
	/** In the container. */
	pid: number;
	uid: string;
	gid: string;
	argv: readonly string[];
}

/**
 * The process with the lowest pid is the parent of the others. Where the first process is another's, so may all be that are not seen to be the container's own: they are somebody else's server. Pure.
 *
 * @param said by the script
 */
export function serverAmong(said: string): ServerFound | undefined {
	const [own = '', first = '', ...lines] = said.split('\n');
	const isOwn = (group: string): boolean => group === own || (group.startsWith(own.replace(/\/?$/, '/')) && !/\/\.\.(?:\/|$)/.test(group));
	const servers = lines.flatMap(line => {
		const [, pid = '', uid = '', gid = '', group = '', argv = ''] = /^(\d+) (\d+) (\d+) ([^\u001f]*)\u001f(.*)$/.exec(line) ?? [];
		return pid === '' ? [] : [{pid: Number(pid), uid, gid, group, argv: argv.split('\u001f')}];
	});
	const seen = servers.filter(({group}) => isOwn(group));
	const isAlone = first === '' || isOwn(first);
	const [server] = (seen.length > 0 || !isAlone ? seen : servers).sort((a, b) => a.pid - b.pid);
	return server && {pid: server.pid, uid: server.uid, gid: server.gid, argv: server.argv};
}

/** Undefined: none runs. `no shell`: nobody could look. */
export async function findServer(
	place: Place,
	names: readonly string[],
	signal?: AbortSignal,
): Promise<ServerFound | 'no shell' | undefined> {
	const {exitCode, stdout} = await output(place, {argv: ['sh', '-c', find, 'sh', ...names], user: '0', signal});
	return exitCode === 126 || exitCode === 127 ? 'no shell' : serverAmong(stdout);
}

/** Of a container whose server is to be asked. @throws where it does not run, with how to start it */
export async function detailsOfRunning(engine: Engine, {id, name}: Pick<Container, 'id' | 'name'>): Promise<ContainerDetails> {
	const details = await engine.inspect(id);
	if (details.state !== 'running') {
		throw new RunError(`container \`${name}\` is ${details.state}, so its databases cannot be read`, {
			hint: `start it: \`docker start ${name}\``,
		});
	}

	return details;
}

interface Wanted {
	/** Of its process. */
	names: readonly string[];
	/** `MariaDB or MySQL` */
	title: string;
	/** The one that asks for its databases, without the prefix. */
	label: string;
	signal?: AbortSignal | undefined;
}

/** A server that is asked by the programs of its own container. @throws where none runs there, or where nobody can look, with the way out */
export async function serverInside(
	engine: Engine,
	container: Pick<Container, 'id' | 'name'>,
	{names, title, label: asking, signal}: Wanted,
) {
	const details = await detailsOfRunning(engine, container);
	const place = inContainer(engine, container.id);
	const found = await findServer(place, names, signal);
	if (found === undefined || found === 'no shell') {
		throw new RunError(
			found === undefined
				? `no ${title} server runs in container \`${container.name}\``
				: `container \`${container.name}\` has no shell, so its server cannot be asked`,
			{hint: `correct the label \`${label(asking)}\`, or see the container's log`},
		);
	}

	return {details, place, found};
}
