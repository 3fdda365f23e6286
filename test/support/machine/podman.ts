import {access, mkdir, readdir, readlink, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {execa} from 'execa';
import {docker} from '../docker.ts';
import {until} from '../until.ts';
import {ensureDebianPackages} from './debian-packages.ts';
import {exclusive} from './exclusive.ts';

const folder = path.join(tmpdir(), 'holdfast-podman');
const root = path.join(folder, 'root');
/** In there: where the folder of its socket is seen by itself, and by its containers. */
const inside = '/holdfast-run';

/** As it must be where little is allowed: no network of its own, limits that anybody may set, Debian's runc. */
const configuration = `[containers]
default_ulimits = ["nofile=1024:1024","nproc=1024:1024"]
netns = "host"
cgroupns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
`;

/** Its containers must find the root of their mount namespace at `/`: so it is no chroot, but a root of its own. */
const start = `set -e
cd "$1"
mount --bind "$1" "$1"; cd "$1"
mount --make-rprivate "$1"
for d in proc sys dev; do mount --rbind "/$d" "$1/$d"; done
mount -t tmpfs tmpfs run; mount -t tmpfs tmpfs tmp
mkdir -p ".$3" old; mount --bind "$2" ".$3"
pivot_root . old
exec chroot . sh -c 'umount -l /old; exec podman system service --time=0 "unix://$1/podman.sock"' start "$3"`;

/** Debian's Podman, in a folder of its own; made once. @returns why it cannot be had */
async function ensureRoot(): Promise<string | undefined> {
	return exclusive('podman', async () => {
		const made = path.join(folder, 'made');
		if (
			await access(made).then(
				() => true,
				() => false,
			)
		) {
			return undefined;
		}

		await ensureDebianPackages(['mmdebstrap']);
		await rm(root, {recursive: true, force: true});
		await mkdir(folder, {recursive: true});
		console.error("holdfast: making a Podman from Debian's packages");
		const packages = ['ca-certificates', 'podman', 'runc', 'conmon', 'netavark', 'iptables'].join(',');
		const {exitCode, stderr} = await execa('mmdebstrap', ['--quiet', '--variant=minbase', `--include=${packages}`, 'bookworm', root], {
			timeout: 10 * 60_000,
			reject: false,
		});
		if (exitCode !== 0) {
			return `Debian's packages cannot be had: ${stderr.split('\n').slice(-3).join(' ')}`;
		}

		await writeFile(path.join(root, 'etc/containers/containers.conf'), configuration);
		await writeFile(path.join(root, 'etc/containers/policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}');
		await writeFile(made, '');
		return undefined;
	});
}

/** With itself, whoever is in its mount namespace: for each exec a conmon stays behind for five minutes. */
async function endAllWith(pid: number | undefined): Promise<void> {
	const spaceOf = async (id: string) => readlink(`/proc/${id}/ns/mnt`).catch(() => undefined);
	const own = pid === undefined ? undefined : await spaceOf(String(pid));
	for (const id of await readdir('/proc')) {
		if (own !== undefined && /^\d+$/.test(id) && (await spaceOf(id)) === own) {
			process.kill(Number(id), 'SIGKILL');
		}
	}
}

export interface Podman {
	/** What DOCKER_HOST must be to reach its API. */
	host: string;
	/** The path of its socket, as it sees it: to be mounted into its containers. */
	socket: string;
	load: (images: readonly string[]) => Promise<void>;
	remove: () => Promise<void>;
}

/** @returns or why there is none here */
export async function startPodman(): Promise<Podman | string> {
	const missing = await ensureRoot();
	if (missing !== undefined) {
		return missing;
	}

	const sockets = path.join(folder, 'run');
	await rm(sockets, {recursive: true, force: true});
	await mkdir(sockets, {recursive: true});
	const service = execa('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', start, 'start', root, sockets, inside], {
		reject: false,
		all: true,
	});
	const host = `unix://${path.join(sockets, 'podman.sock')}`;
	const podman: Podman = {
		host,
		socket: `${inside}/podman.sock`,
		async load(images) {
			for (const image of images) {
				const archive = path.join(folder, 'image.tar');
				await docker(['save', '--output', archive, image]);
				await docker(['load', '--input', archive], {host});
			}
		},
		async remove() {
			const all = (await docker(['ps', '--all', '--quiet'], {host})).split('\n').filter(Boolean);
			if (all.length > 0) {
				await docker(['rm', '--force', '--volumes', ...all], {host});
			}

			const volumes = (await docker(['volume', 'ls', '--quiet'], {host})).split('\n').filter(Boolean);
			if (volumes.length > 0) {
				await docker(['volume', 'rm', ...volumes], {host});
			}

			await endAllWith(service.pid);
			await service;
		},
	};
	const ended = service.then(({all}) => String(all));
	const answers = until(
		'Podman to answer',
		async () =>
			docker(['version'], {host}).then(
				() => true,
				() => false,
			),
		{timeout: 30_000},
	);
	return Promise.race([answers.then(() => podman), ended.then(said => `podman does not run here: ${said}`)]);
}
