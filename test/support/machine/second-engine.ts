import {chmod, mkdtemp, readdir, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {execa} from 'execa';
import {docker, imageId, tryDocker} from '../docker.ts';
import {ensureEngine} from '../engine.ts';
import {until} from '../until.ts';
import {ensureDebianPackages, isRootOnDebian} from './debian-packages.ts';
import {endDockerd, isRunning, startDockerd} from './dockerd.ts';

/**
 * A Docker Engine for one test, which may be killed. It lives in a network namespace of its own, so that its bridge and its firewall rules
 * leave those of the first engine alone: its containers reach each other, but neither the machine nor the world. Use `docker exec`.
 */
export type SecondEngine = {
	/** What DOCKER_HOST must be to reach it. */
	host: string;
	/** The path of its socket, to be mounted into containers as /var/run/docker.sock. */
	socket: string;
	/** The name of its network namespace. */
	namespace: string;
	/** Copies these images here from the first engine; those that are here are skipped. */
	load: (images: readonly string[]) => Promise<void>;
	/** Ends dockerd with SIGKILL, by default. Its containers go on. */
	kill: (signal?: NodeJS.Signals) => Promise<void>;
	/** Starts it again on the same data. */
	start: () => Promise<void>;
	/** Ends it, and removes its containers, data and network. */
	remove: () => Promise<void>;
};

/** Whether a test may start a second engine: only root can, on Linux, where the first engine is not a remote one. */
export const canStartSecondEngine = async (): Promise<boolean> => !process.env.DOCKER_HOST && (await isRootOnDebian());

const mountsBelow = async (folder: string): Promise<string[]> => {
	const lines = (await readFile('/proc/self/mounts', 'utf8')).split('\n');
	return lines.map(line => line.split(' ')[1] ?? '').filter(mount => mount.startsWith(`${folder}/`));
};

// A killed containerd leaves its shims: they are recognised by the address that they were started with
const endShims = async (folder: string): Promise<void> => {
	for (const name of await readdir('/proc')) {
		const commandLine = /^\d+$/.test(name) ? await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '') : '';
		if (commandLine.startsWith('/') && commandLine.includes(`${folder}/`) && commandLine.includes('containerd-shim')) {
			process.kill(Number(name), 'SIGKILL');
		}
	}
};

/**
 * containerd renames a bundle to `.id` before it deletes it. Killed in between (seen with 1.6), it finds that in its way ever after, and the
 * container can never be started again, by nobody, until the machine is started anew and its `/run` is empty.
 */
const removeHalfDeleted = async (bundles: string): Promise<void> => {
	for (const name of await readdir(bundles).catch(() => [])) {
		if (name.startsWith('.')) {
			await rm(path.join(bundles, name), {recursive: true, force: true});
		}
	}
};

/**
 * Starts one, with its data in a temporary folder; `options` are further ones of dockerd, such as `--live-restore`, `programs` is the folder
 * with those of another version than the machine's, and `hostname` what it calls its host.
 */
export const startSecondEngine = async ({
	options = [],
	programs,
	hostname,
}: {
	options?: readonly string[];
	programs?: string;
	hostname?: string;
} = {}): Promise<SecondEngine> => {
	await ensureEngine();
	await ensureDebianPackages(['iproute2']);
	const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-engine-'));
	// The root of containers may be another user
	await chmod(folder, 0o711);
	const namespace = path.basename(folder);
	const socket = path.join(folder, 'docker.sock');
	const host = `unix://${socket}`;
	let pid = 0;

	const start = async (): Promise<void> => {
		// Only the network is another: with mounts of its own, an engine that was started again would not find those of its containers
		const others = programs === undefined ? [] : ['env', `PATH=${programs}:${process.env.PATH}`];
		const named = hostname === undefined ? [] : ['unshare', '--uts', 'sh', '-c', 'hostname "$0"; exec "$@"', hostname];
		const enter = ['nsenter', `--net=/run/netns/${namespace}`, '--', ...named, ...others];
		const places = ['--data-root', `${folder}/data`, '--exec-root', `${folder}/exec`, '--pidfile', `${folder}/pid`, '--host', host];
		// A containerd of the machine would be shared with the first engine
		const names = ['--containerd-namespace', namespace, '--containerd-plugins-namespace', `${namespace}-plugins`];
		pid = await startDockerd([...enter, 'dockerd', ...places, ...names, ...options], {log: `${folder}/log`, host});
	};

	const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
		await endDockerd(pid, signal);
		// containerd dies with dockerd. A new dockerd would wait in vain for one that is dead and that nobody has reaped
		const file = `${folder}/exec/containerd/containerd.pid`;
		const containerd = Number(await readFile(file, 'utf8').catch(() => ''));
		await until('containerd to end', async () => !(await isRunning(containerd, 'containerd')));
		await rm(file, {force: true});
		// Nor would it start beside the file of a dead one whose id is still, or again, in the table of processes
		await rm(`${folder}/pid`, {force: true});
		await removeHalfDeleted(`${folder}/exec/containerd/daemon/io.containerd.runtime.v2.task/${namespace}`);
	};

	const removeContainers = async (): Promise<void> => {
		const ids = (await docker(['ps', '--all', '--quiet'], {host})).split('\n').filter(Boolean);
		if (ids.length > 0) {
			await docker(['rm', '--force', '--volumes', ...ids], {host});
		}
	};

	const remove = async (): Promise<void> => {
		// Only an engine that runs can end the containers of one that was killed
		if ((await tryDocker(['version'], {host})) === undefined) {
			await start();
		}

		await removeContainers();
		await kill('SIGTERM');
		await endShims(folder);
		for (const mount of (await mountsBelow(folder)).reverse()) {
			await execa('umount', ['--lazy', mount], {reject: false});
		}

		await execa('ip', ['netns', 'delete', namespace], {reject: false});
		await rm(folder, {recursive: true, force: true, maxRetries: 5});
	};

	const load = async (images: readonly string[]): Promise<void> => {
		const known = await Promise.all(images.map(image => imageId(image, {host})));
		const missing = images.filter((_, index) => known[index] === undefined);
		if (missing.length > 0) {
			await execa('docker', ['save', ...missing], {buffer: false}).pipe('docker', ['load', '--quiet'], {env: {DOCKER_HOST: host}});
		}
	};

	await execa('ip', ['netns', 'add', namespace]);
	await execa('ip', ['-netns', namespace, 'link', 'set', 'lo', 'up']);
	try {
		await start();
	} catch (error) {
		await execa('ip', ['netns', 'delete', namespace], {reject: false});
		throw error;
	}

	return {host, socket, namespace, load, kill, start, remove};
};
