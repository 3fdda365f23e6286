import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import type {SourceContext} from '../../../../../agent/sources/source.ts';
import {warningsOfAlone} from '../../../../../agent/sources/volume/alone.ts';
import type {PlannedVolume} from '../../../../../agent/sources/volume/plan.ts';
import {here} from '../../../../../base/here.ts';
import {temporaryFolder} from '../../../../support/temporary-folder.ts';

test('a SQLite database that is mounted by itself is told, unless its application is stopped', async t => {
	const folder = temporaryFolder(t);
	writeFileSync(join(folder, '-a b.db'), 'SQLite format 3\0and more');
	writeFileSync(join(folder, 'conf.json'), '{}');
	const warnings = async (name: string, {stops = false, volume = undefined as string | undefined} = {}) =>
		warningsOfAlone({name: 'volume:/app/x', mount: {path: '/app/x', volume}} as PlannedVolume, join(folder, name), {
			worker: here,
			signal: new AbortController().signal,
			outage: {stops},
		} as SourceContext);
	const [warning, ...more] = await warnings('-a b.db');
	t.regex(warning ?? '', /`volume:\/app\/x` is .*mounted by itself.*`holdfast\.sqlite`.*`holdfast\.quiesce=stop`/);
	t.deepEqual(more, []);
	t.deepEqual(await warnings('-a b.db', {stops: true}), []);
	t.deepEqual(await warnings('-a b.db', {volume: 'data'}), []);
	t.deepEqual(await warnings('conf.json'), []);
	t.deepEqual(await warnings(''), []);
	t.deepEqual(await warnings('gone'), []);
});
