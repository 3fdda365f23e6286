import test from 'ava';
import type {Restoration} from '../../../../../agent/restore/plan/plan.ts';
import {planTogether} from '../../../../../agent/restore/plan/together.ts';
import {discoverTargets} from '../../../../../agent/targets/discovery.ts';
import {runningContainer} from '../../../../support/doubles/container.ts';

test('what a project has no point of, and what it had and has no more, is said', t => {
	const labels = {'holdfast.enable': 'true'};
	const container = runningContainer('app', {project: 'shop', service: 'app', labels});
	const [target] = discoverTargets([container]);
	if (target === undefined) {
		throw new Error('no target');
	}

	const point = {id: 'p', target: 'shop/app', filedAs: 'shop/app', agent: 'a', host: 'h', time: new Date(), manifest: 'm', sources: []};
	const restoration = {points: [point], sources: [], stopLimitMs: 1, hooks: [], warnings: ['its own'], stop: []} as unknown as Restoration;
	const {restoration: together} = planTogether('shop', [{target, restoration, problems: []}], {
		surroundings: {containers: [container], self: 'holdfast'},
		without: ['shop/new'],
		gone: ['shop/old'],
	});
	t.deepEqual(together.warnings, [
		'`shop/new` has no restore point by then, and is left as it is',
		'`shop/old` has restore points and is not there any more, so nothing of it is restored (if it has a new name: holdfast restore NEW --from-target shop/old)',
		'its own',
	]);
});
