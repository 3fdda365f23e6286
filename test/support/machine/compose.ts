import {chmod, copyFile, mkdir, mkdtemp, rename, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {execa} from 'execa';
import {tryDocker} from '../docker.ts';
import {ensureDebianPackages, isRootOnDebian} from './debian-packages.ts';
import {exclusive} from './exclusive.ts';

const pluginFolder = '/usr/local/lib/docker/cli-plugins';

const version = async (): Promise<string | undefined> => tryDocker(['compose', 'version', '--short']);

const hasCompose = async (): Promise<boolean> => /^v?[2-9]\d*\./.test((await version()) ?? '');

// The package of Debian testing: its plugin needs nothing but itself, and the machine's own sources stay as they are
const installFromDebian = async (): Promise<void> => {
	await ensureDebianPackages(['mmdebstrap']);
	const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-compose-'));
	try {
		const noDate = '--aptopt=Acquire::Check-Valid-Until "false";';
		await execa('mmdebstrap', ['--variant=extract', noDate, '--include=docker-compose', 'forky', folder], {timeout: 5 * 60_000});
		await mkdir(pluginFolder, {recursive: true});
		const plugin = path.join(pluginFolder, 'docker-compose');
		await copyFile(path.join(folder, 'usr/libexec/docker/cli-plugins/docker-compose'), `${plugin}.new`);
		await chmod(`${plugin}.new`, 0o755);
		await rename(`${plugin}.new`, plugin);
	} finally {
		await rm(folder, {recursive: true, force: true});
	}
};

/** Makes sure that `docker compose` is there, version 2 or later: the one of this machine, else (as root on Debian) the one of Debian testing. */
export const ensureCompose = async (): Promise<void> => {
	if (await hasCompose()) {
		return;
	}

	if (!(await isRootOnDebian())) {
		throw new Error('`docker compose` does not work here: install the Compose plugin, version 2 or later, then run this again');
	}

	await exclusive('compose', async () => {
		if (await hasCompose()) {
			return;
		}

		console.error("holdfast: installing the Compose plugin from Debian's packages");
		await installFromDebian();
		if (!(await hasCompose())) {
			throw new Error(`\`docker compose version\` still fails with the plugin in ${pluginFolder}: install the Compose plugin by hand`);
		}
	});
};
