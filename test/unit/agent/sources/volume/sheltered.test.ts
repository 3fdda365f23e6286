/** What is left alone in folders that a point lacks: the program that runs in the worker, run here, and what is asked of the point. */
import {execFileSync} from 'node:child_process';
import test, {type ExecutionContext} from 'ava';
import type {Restic} from '../../../../../agent/restic/restic.ts';
import {clearAround, patternsOf, putBackFrom, shelteredIn} from '../../../../../agent/sources/volume/sheltered.ts';
import {here} from '../../../../../base/here.ts';
import {temporaryFolder} from '../../../../support/temporary-folder.ts';

const sh = (folder: string, script: string): string => execFileSync('bash', ['-ec', script], {cwd: folder, encoding: 'latin1'});

const all = (folder: string): string[] => sh(folder, "find . -mindepth 1 -printf '%P\\n' | sort").split('\n').filter(Boolean);

/** @param point what it has, by the paths: folders end with a slash */
async function scene(t: ExecutionContext, script: string, point: readonly string[], exclude: readonly string[]) {
	const folder = temporaryFolder(t);
	sh(folder, script);
	const asked: Array<readonly string[] | undefined> = [];
	const restic: Pick<Restic, 'list'> = {
		async list({only, onEntry}) {
			asked.push(only);
			for (const each of point) {
				onEntry({path: each.replace(/\/$/, ''), type: each.endsWith('/') ? 'dir' : 'file', size: 0});
			}
		},
	};
	const place = {worker: here, to: folder, exclude, signal: new AbortController().signal};
	return {folder, asked, place, find: async () => shelteredIn({...place, restic, from: {snapshot: 's', path: '/p'}})};
}

test('folders that hold what is left alone and that the point lacks stay, the topmost of them, without what else is in them', async t => {
	const {folder, asked, place, find} = await scene(
		t,
		`mkdir -p had/cache new/deep/cache new/other turned/cache 'od[d]/x' plain
		touch had/cache/1 new/deep/cache/1 new/deep/f new/other/f turned/cache/1 turned/f 'od[d]/x/a.log' 'od[d]/x/a.txt' plain/f top.log; ln -s /etc new/deep/link`,
		['had/', 'turned'],
		['/**/cache', '/**/*.log', '/lost+found'],
	);
	const found = await find();
	t.deepEqual({...found, missing: found?.missing.toSorted()}, {missing: ['new', 'od[d]'], inTheWay: ['turned']});
	t.deepEqual(asked.flat().toSorted(), ['/p', '/p/new', '/p/od[d]']);
	t.deepEqual(found && patternsOf(found).toSorted(), ['/new', '/od\\[d\\]']);
	await clearAround(found ?? {missing: [], inTheWay: []}, place);
	t.deepEqual(
		all(folder).filter(path => /^(?:new|od)/.test(path)),
		['new', 'new/deep', 'new/deep/cache', 'new/deep/cache/1', 'od[d]', 'od[d]/x', 'od[d]/x/a.log'],
	);
	t.true(all(folder).includes('turned/f') && all(folder).includes('plain/f'), 'nothing else is touched');
});

test('names that are not UTF-8, and patterns with ranges, of which rather too much is left alone', async t => {
	const {folder, place, find} = await scene(
		t,
		`mkdir -p $'latin\\xe9/cache' $'latin\\xe9/other' a/1 a/x b; touch $'latin\\xe9/cache/1' $'b/n\\xe9\\xe8.tmp' a/1/keep a/x/keep b/f ./-rf`,
		[],
		['/latin*/cache', '/*/[0-9]/keep', '/b/*.tmp'],
	);
	const found = await find();
	t.deepEqual(found?.missing.toSorted(), ['a', 'b', 'latin\uFFFD']);
	t.true(found && patternsOf(found).includes('/latin*'));
	await clearAround(found ?? {missing: [], inTheWay: []}, place);
	t.deepEqual(all(folder), [
		'-rf',
		'a',
		'a/1',
		'a/1/keep',
		'a/x',
		'a/x/keep',
		'b',
		'b/n\xe9\xe8.tmp',
		'latin\xe9',
		'latin\xe9/cache',
		'latin\xe9/cache/1',
	]);
});

test('where nothing is at stake, the point is not asked; where it is too much, nothing may be removed', async t => {
	const none = await scene(t, 'mkdir -p cache/deep other; touch cache/deep/f top.log', [], ['/cache', '/*.log', '/**/none']);
	t.deepEqual(await none.find(), {missing: [], inTheWay: []});
	t.deepEqual(none.asked, []);
	const many = await scene(t, 'mkdir -p {1..1001}/cache', [], ['/*/cache']);
	t.is(await many.find(), undefined);
	t.deepEqual(
		many.asked.map(only => only?.length),
		[1],
	);
});

test('what was left alone in a folder that was in the way is back in it, and what is there now stays', async t => {
	const {folder, place} = await scene(
		t,
		`mkdir -p sub/.turned.holdfast-before-1a2b/cache sub/.turned.holdfast-before-1a2b/f sub/turned .full.holdfast-before-1a2b/cache full/cache .x.holdfast-before-other/cache x
		touch sub/.turned.holdfast-before-1a2b/cache/1 .full.holdfast-before-1a2b/cache/1`,
		[],
		['/sub/turned/cache', '/**/cache'],
	);
	t.deepEqual(await putBackFrom('1a2b', place), ['full/cache']);
	t.deepEqual(await putBackFrom('1a2b', place), ['full/cache'], 'again');
	t.deepEqual(all(folder), [
		...['.full.holdfast-before-1a2b', '.full.holdfast-before-1a2b/cache', '.full.holdfast-before-1a2b/cache/1'],
		...['.x.holdfast-before-other', '.x.holdfast-before-other/cache', 'full', 'full/cache'],
		...['sub', 'sub/turned', 'sub/turned/cache', 'sub/turned/cache/1', 'x'],
	]);
});
