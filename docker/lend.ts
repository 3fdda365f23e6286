/** Programs of ours for scratch containers: an image may have a server, and neither a shell nor what else is needed to try one. */
import {lastLines} from '../base/command.ts';
import {here} from '../base/here.ts';
import {shipped} from '../base/shipped.ts';
import type {Engine} from './engine.ts';
import {unlessGone} from './refusal.ts';

/** What is run in scratch containers, be it by ourselves or by a server's own programs (`initdb` and `pg_ctl` start others by `/bin/sh`). */
const needed = ['sh', 'sleep', 'mkdir', 'cat', 'tail', 'df'];

const folders = ['bin', 'usr/bin', 'usr/local/bin'];

/** @returns those that the image of a container has nowhere */
export async function lackedPrograms(engine: Pick<Engine, 'stat'>, id: string): Promise<string[]> {
	const found = await Promise.all(
		needed.map(async program => {
			const places = await Promise.all(folders.map(async folder => engine.stat(id, `/${folder}/${program}`).catch(unlessGone)));
			return places.some(place => place !== undefined);
		}),
	);
	return needed.filter((_, index) => found[index] !== true);
}

/** Puts them where programs look for them. The container is made, and not started. */
export async function lend(engine: Pick<Engine, 'putArchive'>, id: string, programs: readonly string[]): Promise<void> {
	// Links to one program that needs no library (Dockerfile).
	const argv = ['tar', `--directory=${shipped('lent')}`, '-cf', '-', ...['busybox', ...programs].map(program => `bin/${program}`)] as const;
	const packing = await here({argv});
	await engine.putArchive(id, '/', packing.stdout, {replacesFolders: false});
	const {exitCode, stderr} = await packing.done;
	if (exitCode !== 0) {
		throw new Error(`${programs.join(', ')} cannot be lent to a scratch container: ${lastLines(stderr)}`);
	}
}
