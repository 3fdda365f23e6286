import {copyFile, mkdir, mkdtemp, readdir, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {execa} from 'execa';
import {ensureDebianPackages} from './debian-packages.ts';

const localCertificates = '/usr/local/share/ca-certificates';
const systemBundle = '/etc/ssl/certs/ca-certificates.crt';

/** The certificate authorities that this machine trusts beyond Debian's: downloads inside a build need them too. */
const machineCertificates = async (): Promise<string[]> => {
	const local = await readdir(localCertificates).catch(() => []);
	const files = local.filter(name => name.endsWith('.crt')).map(name => path.join(localCertificates, name));
	const extra = process.env.NODE_EXTRA_CA_CERTS;
	return extra && extra !== systemBundle ? [...files, extra] : files;
};

/** The lines of this machine's apt configuration that decide whether a download works at all. */
const machineAptOptions = async (): Promise<string[]> => {
	const scopes = ['Acquire::http', 'Acquire::https', 'Acquire::Check-Valid-Until', 'Acquire::Check-Date'];
	const {stdout} = await execa('apt-config', ['dump', '--format', '%F "%v";%n', ...scopes]);
	return stdout.split('\n').filter(line => line !== '' && !line.endsWith(' "";'));
};

// What Debian's own slim images leave out
const slim = ['doc', 'groff', 'info', 'linda', 'lintian', 'locale', 'man'].map(name => `--dpkgopt=path-exclude=/usr/share/${name}/*`);

// The index of a testing release says that it is valid for a week only, and mirrors may be older
const ownAptOptions = ['Acquire::Check-Valid-Until "false";', 'Acquire::Languages "none";'];

const bootstrap = async (suite: string): Promise<string[]> => [
	'--variant=minbase',
	'--include=ca-certificates',
	...[...ownAptOptions, ...(await machineAptOptions())].map(line => `--aptopt=${line}`),
	...slim,
	'--customize-hook=mkdir -p "$1/usr/local/share/ca-certificates"',
	'--customize-hook=cp -R "$CERTIFICATES/." "$1/usr/local/share/ca-certificates/"',
	'--customize-hook=chroot "$1" update-ca-certificates',
	suite,
];

/** What decides about the content of such an image, but for the packages themselves. */
export const debianRecipe = async (suite: string): Promise<string[]> => [
	...(await bootstrap(suite)),
	...(await Promise.all((await machineCertificates()).map(file => readFile(file, 'utf8')))),
];

/** Makes the image `tag` out of the packages of one Debian release, with the machine's certificates and apt settings inside. */
export const importDebian = async (suite: string, tag: string, label: string): Promise<void> => {
	await ensureDebianPackages(['mmdebstrap']);
	const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-debian-'));
	try {
		const certificates = path.join(folder, 'certificates');
		await mkdir(certificates);
		for (const [index, file] of (await machineCertificates()).entries()) {
			await copyFile(file, path.join(certificates, `machine-${index}.crt`));
		}

		const archive = path.join(folder, 'root.tar');
		await execa('mmdebstrap', [...(await bootstrap(suite)), archive], {env: {CERTIFICATES: certificates}, timeout: 10 * 60_000});
		await execa('docker', ['import', '--change', `LABEL ${label}`, '--change', 'CMD ["bash"]', archive, tag], {timeout: 5 * 60_000});
	} finally {
		await rm(folder, {recursive: true, force: true});
	}
};
