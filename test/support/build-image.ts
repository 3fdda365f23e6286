import {readFile} from 'node:fs/promises';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {buildImage, ensureImage} from './images.ts';

const top = fileURLToPath(new URL('../../', import.meta.url));

/** Builds the production image from the checkout (or from `folder`) as `holdfast:dev`, and returns that name. */
export const buildHoldfast = async ({folder = top, tag = 'holdfast:dev'} = {}): Promise<string> => {
	const {version} = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {version: string};
	const settings = {
		NODE_IMAGE: await ensureImage('node:24-trixie-slim'),
		RESTIC_IMAGE: await ensureImage('restic/restic:0.19.1'),
		DEBIAN_IMAGE: await ensureImage('debian:trixie-slim'),
		HOLDFAST_VERSION: version,
	};
	const started = performance.now();
	await buildImage(folder, tag, {settings});
	console.error(`holdfast: built the image ${tag} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
	return tag;
};

if (import.meta.main) {
	process.stdout.write(`${await buildHoldfast()}\n`);
}
