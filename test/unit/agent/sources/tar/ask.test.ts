import test from 'ava';
import {askTar, look} from '../../../../../agent/sources/tar/ask.ts';
import type {Container} from '../../../../../docker/container.ts';
import type {Engine} from '../../../../../docker/engine.ts';

const container = {id: 'id', name: 'app', state: 'exited', mounts: []} as unknown as Container;

test('links on the way are followed, that of the path itself is not; and what does not exist is left as it is', async t => {
	const links: Record<string, string> = {'/var/run': '/run', '/a/b': '/c'};
	const engine = {
		async stat(_id: string, path: string) {
			if (path.includes('gone')) {
				throw new Error('no such path');
			}

			return {isDirectory: true, linkTarget: links[path] ?? ''};
		},
	} as unknown as Engine;
	const {real, mountPoints} = await look(container, ['/var/run/x', '/a/b', '/a/b/d/e', '/gone/x/y', '/etc'], {engine});
	t.deepEqual([...real.values()], ['/run/x', '/a/b', '/c/d/e', '/gone/x/y', '/etc']);
	t.deepEqual(mountPoints, [], 'what does not run has mounted nothing');
});

test('what is not there, or only leads elsewhere, is told with the next step; what cannot be seen is not taken for missing', async t => {
	const engine = {
		async stat(_id: string, path: string) {
			if (!['/', '/etc', '/link'].includes(path)) {
				throw Object.assign(new Error('refused'), {statusCode: path === '/gone' ? 404 : 500});
			}

			return {isDirectory: true, linkTarget: path === '/link' ? '/etc' : ''};
		},
	} as unknown as Engine;
	const {amiss} = await look(container, ['/etc', '/gone', '/link', '/odd'], {engine});
	t.deepEqual(amiss, [
		{
			path: '/gone',
			why: 'does not exist',
			hint: 'correct the label `holdfast.tar`, or start the application, if it is what makes it',
		},
		{path: '/link', why: 'is a link to "/etc"', hint: 'name the path that it leads to'},
	]);
});

test('who asks for no path is not looked into; and who cannot be seen is not taken for empty', async t => {
	t.is(askTar({container, policy: []}, undefined as never), undefined);
	const engine = {
		stat: async () => ({linkTarget: ''}),
		async exec() {
			throw new Error('no exec');
		},
		inspect: async () => ({pidMode: 'host', state: 'running'}),
	} as unknown as Engine;
	t.is((await look({...container, state: 'running'}, ['/etc'], {engine})).mountPoints, undefined);
});
