/** The process of a server in a container: which it is, and who runs it. */
import {output, type Place} from '../../base/command.ts';
import {RunError} from '../../base/errors.ts';
import type {Container} from '../../docker/container.ts';
import type {ContainerDetails} from '../../docker/details.ts';
import type {Engine} from '../../docker/engine.ts';

/**
 * `sh -c SCRIPT sh NAME …` finds processes of these names, as the kernel has them (15 bytes), and says who they run as: pid, uid, gid, whether it is in this container's control group, and its arguments. The
 * container's first process may be an init or a supervisor; with the host's pid namespace, those of every other container are seen too.
 */
const find = `read -r own </proc/self/cgroup
for process in /proc/[0-9]*; do
	name= uid= gid= group=
	read -r name <"$process/comm"
	known=
	for wanted; do [ "$name" != "$wanted" ] || known=1; done
	[ -n "$known" ] || continue
	while read -r key value _; do case $key in Uid:) uid=$value;; Gid:) gid=$value;; esac; done <"$process/status"
	read -r group <"$process/cgroup"
	[ "$group" = "$own" ] && own_group=1 || own_group=0
	[ -z "$gid" ] || echo "\${process#/proc/} $uid $gid $own_group $(tr '\\0\\n' '\\n ' <"$process/cmdline" | tr '\\n' '\\037')"
done 2>/dev/null`;

export interface ServerFound {
	/** In the container. */
	pid: number;
	uid: string;
	gid: string;
	argv: readonly string[];
}

/** The process with the lowest pid is the parent of the others. */
function oldest(found: string): ServerFound | undefined {
	const servers = found.split('\n').flatMap(line => {
		const [, pid = '', uid = '', gid = '', own, argv = ''] = /^(\d+) (\d+) (\d+) ([01]) (.*)$/.exec(line) ?? [];
		return pid === '' ? [] : [{pid: Number(pid), uid, gid, isOwn: own === '1', argv: argv.split('\u001f')}];
	});
	const own = servers.filter(({isOwn}) => isOwn);
	return (own.length > 0 ? own : servers).sort((a, b) => a.pid - b.pid)[0];
}

/** Undefined: none runs. `no shell`: nobody could look. */
export async function findServer(
	place: Place,
	names: readonly string[],
	signal?: AbortSignal,
): Promise<ServerFound | 'no shell' | undefined> {
	const {exitCode, stdout} = await output(place, {argv: ['sh', '-c', find, 'sh', ...names], user: '0', signal});
	return exitCode === 126 || exitCode === 127 ? 'no shell' : oldest(stdout);
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
