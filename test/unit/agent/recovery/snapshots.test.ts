import {mkdir, mkdtemp, readdir, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {removeSnapshots} from '../../../../agent/recovery/snapshots.ts';
import {here} from '../../../../base/here.ts';

type Shop = Parameters<typeof removeSnapshots>[0];

test('what an earlier life took is removed; what is under way, and what is not its own, stays', async t => {
	const folder = await mkdtemp(join(tmpdir(), 'hf-snapshots-'));
	t.teardown(async () => rm(folder, {recursive: true}));
	for (const name of ['holdfast-me-old-0', 'holdfast-me-now-1', 'holdfast-you-old-0', 'mine']) {
		await mkdir(join(folder, name, 'in'), {recursive: true});
	}

	const said: string[] = [];
	let dismissed = 0;
	const shop = (mounts: unknown): Shop =>
		({
			self: {mounts},
			agentId: 'me',
			hire: async () => ({
				repository: async () => ({
					run: async ({argv, ...command}: {argv: string[]}) =>
						here({...command, argv: argv.map(word => word.replace('/snapshots', folder)) as [string, ...string[]]}),
				}),
				dismiss: async () => void dismissed++,
			}),
		}) as unknown as Shop;
	const others = {
		isUnderWay: (run: string) => run === 'now',
		log: {info: (line: string) => void said.push(line), warning: (line: string) => t.fail(line)},
	};
	await removeSnapshots(shop([]), others);
	t.is((await readdir(folder)).length, 4);
	await removeSnapshots(shop([{path: '/snapshots'}]), others);
	t.deepEqual((await readdir(folder)).sort(), ['holdfast-me-now-1', 'holdfast-you-old-0', 'mine']);
	t.deepEqual(said, ['snapshot `holdfast-me-old-0` of an interrupted run was removed']);
	t.is(dismissed, 1);
});
