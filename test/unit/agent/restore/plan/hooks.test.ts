/** Which commands run around a restore. */
import test from 'ava';
import {planHooks} from '../../../../../agent/restore/plan/hooks.ts';
import {discoverTargets} from '../../../../../agent/targets/discovery.ts';
import {parseLabels} from '../../../../../agent/targets/labels.ts';
import {containerFromList} from '../../../../../docker/container.ts';

const target = (state: string, labels: Record<string, string>) =>
	discoverTargets([
		containerFromList({
			Id: 'id',
			Names: ['/shop-app-1'],
			Image: 'app',
			ImageID: 'sha256:1',
			Created: 0,
			State: state,
			Labels: {'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'app', 'holdfast.enable': 'true', ...labels},
			Mounts: [],
		}),
	]);

const labels = {
	'holdfast.restore.before': 'occ maintenance:mode --on',
	'holdfast.restore.after': '["occ", "x"]',
	'holdfast.restore.after.timeout': '10m',
};

test('the labels are read, and those that say how need the one that says what', t => {
	const {policy, problems} = parseLabels({...labels, 'holdfast.restore.before.user': 'www-data'}, {subject: 'shop/app'});
	t.deepEqual(problems, []);
	t.deepEqual(policy.restoreBefore, {argv: ['occ', 'maintenance:mode', '--on'], user: 'www-data', timeoutMs: 30_000, onError: 'fail'});
	t.deepEqual(policy.restoreAfter, {argv: ['occ', 'x'], user: undefined, timeoutMs: 600_000, onError: 'fail'});
	const orphan = parseLabels({'holdfast.restore.after.timeout': '1m'}, {subject: 'shop/app'}).problems;
	t.regex(orphan[0]?.message ?? '', /`holdfast\.restore\.after\.timeout` needs `holdfast\.restore\.after`/);
	const unknown = parseLabels({...labels, 'holdfast.restore.before.on-error': 'continue'}, {subject: 'shop/app'}).problems;
	t.regex(unknown[0]?.message ?? '', /unknown label/);
});

test('both run in a container that runs, and none in one that does not', t => {
	const running = planHooks(target('running', labels), []);
	t.deepEqual(
		running.hooks.map(({when, hook}) => [when, hook.argv[0]]),
		[
			['before', 'occ'],
			['after', 'occ'],
		],
	);
	t.deepEqual(running.warnings, []);
	const resting = planHooks(target('exited', labels), []);
	t.deepEqual(resting.hooks, []);
	t.regex(resting.warnings.join('\n'), /`restore\.before` is not run: container `shop-app-1` is exited\n.*`restore\.after`/);
});

test('what an undo starts again is told afterwards', t => {
	const {hooks} = planHooks(target('exited', labels), [{container: {id: 'id'}}]);
	t.deepEqual(
		hooks.map(({when}) => when),
		['after'],
	);
});

test('a task of Swarm that is stopped comes back as another: neither is run', t => {
	const [found] = target('running', labels);
	const members = found?.members.map(member => ({...member, container: {...member.container, swarm: {} as never}}));
	const {hooks, warnings} = planHooks([{...found, members} as never], [{container: {id: 'id'}}]);
	t.deepEqual(hooks, []);
	t.regex(warnings.join(), /Swarm makes a new container/);
});
