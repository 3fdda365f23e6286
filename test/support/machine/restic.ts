import {access, constants, mkdir, mkdtemp, rename, rm} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {execa} from 'execa';
import type {Place} from '../../../base/command.ts';
import {here} from '../../../base/here.ts';
import {docker} from '../docker.ts';
import {ensureImage} from '../images.ts';
import {exclusive} from './exclusive.ts';

const version = '0.19.1';
const folder = fileURLToPath(new URL(`../../../.cache/restic-${version}/`, import.meta.url));

const onPath = async (): Promise<string | undefined> => {
	const {stdout = ''} = await execa('restic', ['version'], {reject: false});
	const [, major = '0', minor = '0'] = /^restic (\d+)\.(\d+)/.exec(stdout) ?? [];
	if (Number(major) === 0 && Number(minor) < 19) {
		return undefined;
	}

	return (await execa('sh', ['-c', 'command -v restic'])).stdout;
};

const isProgram = (file: string): Promise<boolean> =>
	access(file, constants.X_OK).then(
		() => true,
		() => false,
	);

const fromImage = async (file: string): Promise<void> => {
	const image = await ensureImage(`restic/restic:${version}`);
	await mkdir(path.dirname(folder), {recursive: true});
	const unpacked = await mkdtemp(path.join(path.dirname(folder), 'restic-'));
	const container = await docker(['create', '--label', 'holdfast-test=restic', image]);
	try {
		await docker(['cp', `${container}:/usr/bin/restic`, path.join(unpacked, 'restic')]);
		await mkdir(folder, {recursive: true});
		await rename(path.join(unpacked, 'restic'), file);
	} finally {
		await docker(['rm', '--force', container]);
		await rm(unpacked, {recursive: true, force: true});
	}
};

const provide = async (): Promise<string> => {
	const installed = await onPath();
	if (installed !== undefined) {
		return installed;
	}

	const file = path.join(folder, 'restic');
	await exclusive('restic', async () => {
		if (!(await isProgram(file))) {
			await fromImage(file);
		}
	});
	return file;
};

let provided: Promise<string> | undefined;

/** The path of a restic of at least 0.19: the machine's own, else the one in restic's image. */
const ensureRestic = (): Promise<string> => {
	provided ??= provide();
	return provided;
};

/** `here`, with that restic on its PATH; `prefix` (such as `setpriv …`) runs each command. */
export const placeWithRestic = async (prefix: readonly string[] = []): Promise<Place> => {
	const file = await ensureRestic();
	return command => {
		const [program, ...rest] = [...prefix, ...command.argv];
		return here({
			...command,
			argv: [program ?? '', ...rest],
			env: {...command.env, PATH: `${path.dirname(file)}:${process.env.PATH}`},
		});
	};
};
