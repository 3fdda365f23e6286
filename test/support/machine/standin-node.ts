import {copyFile, readFile, rename, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {execa} from 'execa';

/** Files for a build that are not in its folder, and their version: filling happens only when something must be built. */
export type Context = {version: string; fill: (folder: string) => Promise<void>};

// The npm that Node 24 brings along
const npm = 'npm@11.6.2';
const nodePackage = fileURLToPath(new URL('../../../node_modules/node/', import.meta.url));

const configured = async (setting: string): Promise<string> => {
	const {stdout} = await execa('npm', ['config', 'get', setting], {stderr: 'ignore'});
	return stdout.trim();
};

/**
 * What the context of test/images/node needs and cannot be committed: the Node of the npm package `node`, npm itself, and the registry that
 * this machine is configured for, so that `npm ci` works in a build wherever it works outside.
 */
export const nodeContext = async (): Promise<Context> => {
	const {version} = JSON.parse(await readFile(path.join(nodePackage, 'package.json'), 'utf8')) as {version: string};
	const npmrc = ['registry', 'strict-ssl', 'proxy', 'https-proxy'].map(async setting => {
		const value = await configured(setting);
		return value === 'null' || value === 'undefined' ? '' : `${setting}=${value}\n`;
	});
	const settings = `${(await Promise.all(npmrc)).join('')}fund=false\naudit=false\nupdate-notifier=false\n`;
	return {
		version: `${version}\n${npm}\n${settings}`,
		fill: async folder => {
			await copyFile(path.join(nodePackage, 'bin/node'), path.join(folder, 'node'));
			await writeFile(path.join(folder, 'npmrc'), settings);
			const {stdout} = await execa('npm', ['pack', '--silent', '--pack-destination', folder, npm]);
			await rename(path.join(folder, stdout.trim()), path.join(folder, 'npm.tgz'));
		},
	};
};
