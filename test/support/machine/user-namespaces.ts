/** Engines whose containers' root is not the host's: with `userns-remap`, and without root altogether. */
import {appendFile, chown, mkdir, mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {execa} from 'execa';
import {docker} from '../docker.ts';
import {until} from '../until.ts';
import {ensureDebianPackages} from './debian-packages.ts';
import {isRunning, startDockerd} from './dockerd.ts';
import {exclusive} from './exclusive.ts';
import {type SecondEngine, startSecondEngine} from './second-engine.ts';

/** The user `dockremap`, and ids for it that no other has: what `--userns-remap=default` makes by itself where the tools for it are installed. */
async function ensureRemapped(name: string): Promise<void> {
	await exclusive('user-namespaces', async () => {
		await execa('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', name], {reject: false});
		for (const file of ['/etc/subuid', '/etc/subgid']) {
			const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(Boolean);
			if (!lines.some(line => line.startsWith(`${name}:`))) {
				const free = Math.max(
					200_000,
					...lines.map(line => line.split(':').slice(1).map(Number)).map(([from = 0, count = 0]) => from + count),
				);
				await appendFile(file, `${name}:${free}:65536\n`);
			}
		}
	});
}

export async function startRemappedEngine(): Promise<SecondEngine> {
	await ensureRemapped('dockremap');
	return startSecondEngine({options: ['--userns-remap=default']});
}

export type RootlessEngine = Pick<SecondEngine, 'host' | 'socket' | 'load' | 'remove'>;

const user = 'holdfast-rootless';

/** It makes its own network namespace inside of its user namespace: no way out, and no device of the host is needed for one. */
const start = 'ip link set lo up; rm -f /run/docker /run/containerd /run/xtables.lock; exec dockerd --rootless "$@"';

/** dockerd in a user namespace of an ordinary user, by RootlessKit. @throws where the machine lets nobody have one */
export async function startRootlessEngine(): Promise<RootlessEngine> {
	await ensureDebianPackages(['rootlesskit', 'uidmap', 'iproute2', 'iptables']);
	await ensureRemapped(user);
	const [uid = 0, gid = 0] = await Promise.all(['--user', '--group'].map(async what => Number((await execa('id', [what, user])).stdout)));
	const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-rootless-'));
	for (const each of [folder, `${folder}/run`, `${folder}/data`]) {
		await mkdir(each, {recursive: true, mode: 0o755});
		await chown(each, uid, gid);
	}

	const socket = `${folder}/run/docker.sock`;
	const host = `unix://${socket}`;
	const as = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--init-groups'];
	const env = ['env', '-i', `HOME=${folder}`, `USER=${user}`, `XDG_RUNTIME_DIR=${folder}/run`, 'PATH=/usr/sbin:/usr/bin:/sbin:/bin'];
	const kit = ['rootlesskit', '--net=host', '--copy-up=/etc', '--copy-up=/run', '--propagation=rslave', `--state-dir=${folder}/run/kit`];
	const places = ['--data-root', `${folder}/data`, '--exec-root', `${folder}/run/exec`, '--pidfile', `${folder}/run/pid`, '--host', host];
	const pid = await startDockerd([...as, ...env, ...kit, 'unshare', '--net', 'sh', '-c', start, 'dockerd', ...places], {
		log: `${folder}/log`,
		host,
	});
	return {
		host,
		socket,
		async load(images) {
			await execa('docker', ['save', ...images], {buffer: false}).pipe('docker', ['load', '--quiet'], {env: {DOCKER_HOST: host}});
		},
		async remove() {
			const ids = (await docker(['ps', '--all', '--quiet'], {host})).split('\n').filter(Boolean);
			if (ids.length > 0) {
				await docker(['rm', '--force', '--volumes', ...ids], {host});
			}

			process.kill(pid, 'SIGTERM');
			await until('the rootless engine to end', async () => !(await isRunning(pid, 'rootlesskit')), {timeout: 60_000});
			await rm(folder, {recursive: true, force: true, maxRetries: 5});
		},
	};
}
