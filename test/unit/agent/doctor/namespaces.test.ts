import test from 'ava';
import {examineNamespaces} from '../../../../agent/doctor/namespaces.ts';
import type {Container} from '../../../../docker/container.ts';
import type {Engine} from '../../../../docker/engine.ts';

const container = (id: string, more: Partial<Container> = {}): Container =>
	({id, name: id, service: id, state: 'running', labels: {}, mounts: [], dependsOn: [], ...more}) as Container;

const examine = async (containers: Container[], startedAt: Record<string, string> = {}) => {
	const engine = {inspect: async (id: string) => ({startedAt: startedAt[id] ?? '2026-01-01T00:00:00Z'})} as unknown as Engine;
	return (await examineNamespaces(engine, containers, containers)).map(({subject, message, hint}) => `${subject}: ${message} (${hint})`);
};

test('who lives in what is gone, does not run, or was started anew is named with the way out', async t => {
	const torrent = container('torrent', {livesIn: ['vpn']});
	t.deepEqual(await examine([torrent, container('vpn')]), []);
	t.regex(
		(await examine([torrent])).join(),
		/^torrent: .*was replaced.*\(.*docker compose up --detach --no-deps --force-recreate torrent\)$/,
	);
	t.regex((await examine([torrent, container('vpn', {state: 'exited'})])).join(), /does not run \(exited\).*docker start vpn/);
	t.regex(
		(await examine([torrent, container('vpn')], {vpn: '2026-01-02T00:00:00Z'})).join(),
		/`vpn`, which was started anew since: it may be cut off \(docker restart torrent\)/,
	);
});

test('who does not run, and what is ours, is nothing to see to', async t => {
	t.deepEqual(await examine([container('torrent', {livesIn: ['vpn'], state: 'exited'})]), []);
	t.deepEqual(await examine([container('worker', {livesIn: ['gone'], labels: {'holdfast.worker': 'run'}})]), []);
});
