import {copyFile, mkdir, readdir, rename, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {execa} from 'execa';
import {ensureDebianPackages} from './debian-packages.ts';
import {exclusive} from './exclusive.ts';

const folder = path.join(tmpdir(), 'holdfast-current-engine');

const programs = [
	'usr/sbin/dockerd',
	'usr/bin/containerd',
	'usr/bin/containerd-shim-runc-v2',
	'usr/sbin/runc',
	'usr/bin/docker-init',
	'usr/sbin/docker-proxy',
];

/**
 * A folder with the programs of a current Docker Engine: those of Debian testing, which run by their own loader and libraries, whatever the
 * machine has. It is made once.
 */
export const ensureCurrentEngine = async (): Promise<string> =>
	exclusive('current-engine', async () => {
		const bin = path.join(folder, 'bin');
		if ((await readdir(bin).catch(() => [])).length === programs.length) {
			return bin;
		}

		console.error("holdfast: making a current Docker Engine from Debian testing's packages");
		await ensureDebianPackages(['mmdebstrap', 'patchelf']);
		await rm(folder, {recursive: true, force: true});
		await mkdir(`${bin}.new`, {recursive: true});
		const root = path.join(folder, 'root');
		const noDate = '--aptopt=Acquire::Check-Valid-Until "false";';
		await execa('mmdebstrap', ['--quiet', '--variant=minbase', noDate, '--include=ca-certificates,docker.io,iptables', 'forky', root], {
			timeout: 10 * 60_000,
		});
		const libraries = ['lib', 'usr/lib'].map(each => path.join(root, each, 'x86_64-linux-gnu')).join(':');
		const loader = path.join(root, 'lib64/ld-linux-x86-64.so.2');
		for (const program of programs) {
			const copy = path.join(`${bin}.new`, path.basename(program));
			await copyFile(path.join(root, program), copy);
			// What is linked statically has neither, and needs neither
			await execa('patchelf', ['--set-interpreter', loader, '--set-rpath', libraries, copy], {reject: false});
		}

		await rename(`${bin}.new`, bin);
		return bin;
	});
