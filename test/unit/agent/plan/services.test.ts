/** What services say is remembered for a while; that something is not there, for some seconds only. */
import test from 'ava';
import {createServices} from '../../../../agent/plan/services.ts';
import {discoverTargets} from '../../../../agent/targets/discovery.ts';
import type {Engine} from '../../../../docker/engine.ts';
import {runningContainer} from '../../../support/doubles/container.ts';
import {until} from '../../../support/until.ts';

test('a database that is not there yet is looked for again soon; one that is there is not', async t => {
	let isThere = false;
	let asked = 0;
	let askedAt = 0;
	const engine = {
		async stat() {
			asked++;
			askedAt = performance.now();
			if (!isThere) {
				throw Object.assign(new Error('no such path'), {statusCode: 404});
			}

			return {isDirectory: false, linkTarget: ''};
		},
	} as unknown as Engine;
	const services = createServices({engine, dataRoot: '/var/lib/docker', hire: async () => t.fail() as never});
	const [target] = discoverTargets([
		runningContainer('app', {
			mounts: [{type: 'volume', volume: 'data', hostPath: '/v', path: '/data', readWrite: true}],
			labels: {'holdfast.enable': 'true', 'holdfast.sqlite': '/data/app.db'},
		}),
	]);
	const amiss = async (maximumAgeMs: number) => {
		const {answers, problems} = await services.ask(target as NonNullable<typeof target>, undefined, maximumAgeMs);
		t.deepEqual(problems, []);
		const {amiss = []} = (answers.get('app')?.sqlite ?? {}) as {amiss?: unknown[]};
		return amiss.length;
	};

	t.is(await amiss(60_000), 1);
	t.is(await amiss(60_000), 1);
	t.is(asked, 1, 'for some seconds, as everything is');
	isThere = true;
	await until('it is looked for again', async () => (await amiss(1)) === 0);
	const looked = asked;
	isThere = false;
	await until('some seconds, as it were', () => performance.now() > askedAt + 2);
	t.is(await amiss(1), 0, 'what is there is remembered for longer');
	t.is(asked, looked);
});
