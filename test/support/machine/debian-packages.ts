import {access, readFile} from 'node:fs/promises';
import process from 'node:process';
import {execa} from 'execa';
import {exclusive} from './exclusive.ts';

/** Whether this machine is one on which the tests may install what they need: Debian, as root. */
export const isRootOnDebian = async (): Promise<boolean> => {
	const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
	return process.getuid?.() === 0 && /^ID="?debian"?$/m.test(release);
};

const isInstalled = async (name: string): Promise<boolean> => {
	const {stdout} = await execa('dpkg-query', ['--status', name], {reject: false});
	return /^Status: .* installed$/m.test(stdout);
};

const missing = async (names: readonly string[]): Promise<string[]> => {
	const installed = await Promise.all(names.map(name => isInstalled(name)));
	return names.filter((_, index) => !installed[index]);
};

/** Installs those of these packages that are missing. Fails, saying what to do, where this is not root on Debian. */
export const ensureDebianPackages = async (names: readonly string[]): Promise<void> => {
	const isDebian = await access('/usr/bin/dpkg-query').then(
		() => true,
		() => false,
	);
	if (isDebian && (await missing(names)).length === 0) {
		return;
	}

	if (!(await isRootOnDebian())) {
		throw new Error(`This needs ${names.join(', ')}, which is only installed by itself as root on Debian: install it, then run this again`);
	}

	await exclusive('apt-get', async () => {
		const wanted = await missing(names);
		if (wanted.length === 0) {
			return;
		}

		console.error(`holdfast: installing ${wanted.join(', ')} from Debian's packages`);
		const env = {DEBIAN_FRONTEND: 'noninteractive'};
		const patient = ['-o', 'DPkg::Lock::Timeout=300'];
		await execa('apt-get', ['update', '--quiet', ...patient], {env, timeout: 5 * 60_000});
		await execa('apt-get', ['install', '--yes', '--quiet', '--no-install-recommends', ...patient, ...wanted], {env, timeout: 10 * 60_000});
	});
};
