import {mkdir, readFile, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {execa} from 'execa';
import {ensureDebianPackages, isRootOnDebian} from './machine/debian-packages.ts';
import {answers, endDockerd, startDockerd} from './machine/dockerd.ts';
import {exclusive} from './machine/exclusive.ts';
import {until} from './until.ts';

const cache = fileURLToPath(new URL('../../.cache/', import.meta.url));
const pidFile = path.join(cache, 'dockerd.pid');

const has = async (program: string): Promise<boolean> => (await execa('which', [program], {reject: false})).exitCode === 0;

const install = async (): Promise<void> => {
	if (!(await has('dockerd'))) {
		await ensureDebianPackages(['docker.io', 'iptables', 'mmdebstrap']);
	}

	// From Debian 13 on the command line is a package of its own
	if (!(await has('docker'))) {
		await ensureDebianPackages(['docker-cli']);
	}
};

// Where systemd runs, installing the package has started the engine already
const answersAfterInstallation = async (): Promise<boolean> =>
	(await has('systemctl')) && (await execa('systemctl', ['is-active', '--quiet', 'docker'], {reject: false})).exitCode === 0
		? until('the Docker Engine of this machine to answer', () => answers())
		: answers();

const start = async (): Promise<void> => {
	if (await answers()) {
		return;
	}

	if (process.env.DOCKER_HOST) {
		throw new Error('No Docker Engine answers at DOCKER_HOST: correct or unset it, then run this again');
	}

	if (!(await isRootOnDebian())) {
		throw new Error('No Docker Engine answers: install and start Docker, then run this again (as root on Debian this happens by itself)');
	}

	await install();
	if (await answersAfterInstallation()) {
		return;
	}

	console.error('holdfast: no Docker Engine runs here; starting one');
	await mkdir(cache, {recursive: true});
	const pid = await startDockerd(['dockerd'], {log: path.join(cache, 'dockerd.log')});
	await writeFile(pidFile, `${pid}\n`);
};

let started: Promise<void> | undefined;

/**
 * Makes sure that a Docker Engine answers. Uses the one that runs. Only where there is none, as root on Debian, it installs Debian's and
 * starts it; that one outlives this process, until {@link stopEngine}.
 */
export const ensureEngine = (): Promise<void> => {
	started ??= exclusive('engine', start);
	started.catch(() => {
		started = undefined;
	});
	return started;
};

/** Stops the engine that {@link ensureEngine} started in this checkout; any other is left alone. Returns whether there was one. */
export const stopEngine = async (): Promise<boolean> => {
	const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
	await rm(pidFile, {force: true});
	if (!pid) {
		return false;
	}

	await endDockerd(pid, 'SIGTERM');
	started = undefined;
	return true;
};

if (import.meta.main) {
	const [verb] = process.argv.slice(2);
	if (verb === 'start') {
		await ensureEngine();
	} else if (verb === 'stop') {
		console.error((await stopEngine()) ? 'holdfast: stopped the Docker Engine' : 'holdfast: no Docker Engine was started here');
	} else {
		console.error('Usage: engine.ts start|stop');
		process.exitCode = 2;
	}
}
