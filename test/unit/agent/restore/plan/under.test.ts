import test from 'ava';
import {servedProblems} from '../../../../../agent/restore/plan/under.ts';
import type {RestoringSource} from '../../../../../agent/sources/restoring.ts';
import type {Container, Mount} from '../../../../../docker/container.ts';

const volume = (name: string, path: string): Mount => ({type: 'volume', volume: name, hostPath: '', path, readWrite: true});
const container = {
	id: 'd',
	name: 'shop-db-1',
	mounts: [volume('pg', '/srv/pg'), volume('wal', '/wal'), volume('files', '/files')],
} as unknown as Container;
const server = {software: 'PostgreSQL', folders: ['/srv/pg/data', '/wal', '/files/space']};

const tree = (mount: Mount, more: {exclude?: string[]; paths?: string[]} = {}) =>
	({
		name: `volume:${mount.path}`,
		target: 'shop/app',
		mount,
		paths: more.paths,
		stored: {source: `volume:${mount.path}`, details: {exclude: more.exclude ?? []}},
	}) as unknown as RestoringSource & {
		mount: Mount;
	};

const written = (trees: ReturnType<typeof tree>[], isStopped = false) =>
	servedProblems(server, container, {trees, sources: trees, isStopped}).map(
		problem => /would write a part \(`([^`]+)`\)/.exec(problem)?.[1],
	);

test('what holds a folder of the server, or lies in one, is not written while it runs', t => {
	t.deepEqual(written([tree(volume('files', '/files'))]), ['/files/space']);
	t.deepEqual(written([tree(volume('wal', '/wal'))]), ['/wal']);
	t.deepEqual(written([tree({...volume('pg', '/pg'), subpath: 'data/base'})]), ['/srv/pg/data']);
	t.deepEqual(written([tree({...volume('pg', '/pg'), subpath: 'other'})]), []);
	t.deepEqual(written([tree(volume('else', '/files'))]), []);
});

test('nor through another container that has the same storage elsewhere', t => {
	t.deepEqual(written([tree(volume('files', '/in/a/tool'))]), ['/files/space']);
});

test('what the point left out is left alone', t => {
	t.deepEqual(written([tree(volume('files', '/files'), {exclude: ['/space']})]), []);
	t.deepEqual(written([tree(volume('pg', '/srv/pg'), {exclude: ['/data/base']})]), ['/srv/pg/data']);
});

test('single files beside it are written', t => {
	t.deepEqual(written([tree(volume('files', '/files'), {paths: ['/notes']})]), []);
	t.deepEqual(written([tree(volume('files', '/files'), {paths: ['/space/PG_17/1']})]), ['/files/space']);
});

test('one that is stopped meanwhile is written whole or not at all', t => {
	const all = [volume('pg', '/srv/pg'), volume('wal', '/wal'), volume('files', '/files')].map(mount => tree(mount));
	t.deepEqual(written(all, true), []);
	t.deepEqual(written(all.slice(1), true), ['/wal', '/files/space']);
	t.deepEqual(written([], true), []);
});

test('the next command is named: the rest of the target, and of a project the other targets by themselves', t => {
	const bad = tree(volume('wal', '/wal'));
	const odd = tree(volume('odd', "/it's odd"));
	const picked = tree(volume('other', '/other'), {paths: ['/a', '/b']});
	const problem = (...sources: RestoringSource[]) => servedProblems(server, container, {trees: [bad], sources, isStopped: false}).join();
	t.regex(
		problem(bad, odd, picked),
		/: restore the rest without it, .*: `holdfast restore shop\/app --only 'volume:\/it'\\''s odd' volume:\/other\/a volume:\/other\/b`$/,
	);
	t.regex(problem(bad), /: nothing else is in this point/);
	const others = [bad, odd, {...odd, target: 'shop/db'}, {...odd, target: 'shop/web'}] as RestoringSource[];
	t.regex(problem(...others), /--only 'volume:[^`]*`, then `holdfast restore shop\/db`, then `holdfast restore shop\/web`$/);
});
