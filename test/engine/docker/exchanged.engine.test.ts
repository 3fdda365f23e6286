/** Programs that mend, update and scale do so within the window: it is noticed, said, and everybody is up afterwards. Lane: waits. Turns: docker. */
import test from 'ava';
import {ensureImage} from '../../support/images.ts';
import {heldWindow} from '../../support/stack/held-window.ts';
import {type Stack, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

/** A file that takes a moment to read, and that must be read again all the time. It takes no room. */
const slowToRead = ['sh', '-c', 'truncate -s 1G /data/big; while :; do touch /data/big; sleep 0.5; done'];

const healthOf = '{{.State.Health.Status}}';

let stack: Stack;
let image = '';
const teardowns: Array<() => unknown> = [];

test.before(async t => {
	t.timeout(10 * 60_000);
	image = await ensureImage('holdfast-test/app:latest');
	const service = (name: string, quiesce: string, more = {}) => ({
		image,
		init: true,
		stop_grace_period: '1s',
		command: slowToRead,
		volumes: [`${name}:/data`],
		labels: {'holdfast.enable': 'true', 'holdfast.quiesce': quiesce},
		...more,
	});
	const unwell = {healthcheck: {test: ['CMD', 'false'], interval: '1s', retries: 1}};
	const services = {
		updated: service('updated', 'pause'),
		renewed: service('renewed', 'stop'),
		healed: service('healed', 'pause', unwell),
		scaled: service('scaled', 'pause'),
	};
	stack = await startStack({teardown: undo => teardowns.push(undo)}, {services, volumes: Object.keys(services)});
});

test.after.always(async () => {
	for (const undo of teardowns.toReversed()) {
		await undo();
	}
});

const target = (service: string) => `${stack.project}/${service}`;

const inspected = async (name: string, format: string) => stack.docker(['inspect', '--format', format, name]);

async function make(service: string, name: string): Promise<void> {
	const labels = {project: stack.project, service, oneoff: 'False', 'container-number': name.slice(-1)};
	await stack.docker([
		'create',
		'--init',
		`--name=${name}`,
		...Object.entries(labels).map(([label, value]) => `--label=com.docker.compose.${label}=${value}`),
		'--label=holdfast.enable=true',
		`--volume=${stack.project}_${service}:/data`,
		image,
		...slowToRead,
	]);
	await stack.docker(['start', name]);
	teardowns.push(async () => stack.docker(['rm', '--force', name]));
}

/** As Watchtower does it: stopped, removed, made anew from another image under the same name, started. */
async function exchange(service: string): Promise<void> {
	const name = stack.container(service);
	await stack.docker(['stop', '--time', '1', name]);
	await stack.docker(['rm', name]);
	await make(service, name);
}

for (const service of ['updated', 'renewed']) {
	test.serial(`a program that updates exchanges a container that is quiesced: ${service}`, async t => {
		t.timeout(5 * 60_000);
		const {result} = await heldWindow(stack, target(service), async () => exchange(service));
		t.is(result.outcome, 'failed');
		t.is(result.point, null);
		t.regex(result.error ?? '', /was exchanged for another while it was quiesced.*Watchtower and autoheal/);
		t.is(await stack.state(service), 'running');
		const [next] = await stack.backup(target(service));
		t.is(next?.outcome, 'success', next?.error);
		t.is(await stack.state(service), 'running');
	});
}

test.serial('a program that mends restarts one that is unwell while it is quiesced', async t => {
	t.timeout(5 * 60_000);
	const name = stack.container('healed');
	await until('it to be unwell', async () => (await inspected(name, healthOf)) === 'unhealthy');
	const {result} = await heldWindow(stack, target('healed'), async () => {
		// As autoheal asks: whoever is unhealthy, whatever else it is.
		const unwell = await stack.docker(['ps', '--filter', 'health=unhealthy', '--filter', `name=${name}`, '--format', '{{.Names}}']);
		t.is(unwell, name);
		await stack.docker(['restart', '--time', '1', name]);
	});
	t.is(result.outcome, 'failed');
	t.is(result.point, null);
	t.regex(result.error ?? '', /was started by somebody else while it was quiesced.*autoheal/);
	t.is(await stack.state('healed'), 'running');
	const [next] = await stack.backup(target('healed'));
	t.is(next?.outcome, 'success', next?.error);
});

test.serial('a replica that begins to write while the others stand still is no moment', async t => {
	t.timeout(5 * 60_000);
	const second = `${stack.project}-scaled-2`;
	const {result} = await heldWindow(stack, target('scaled'), async () => make('scaled', second));
	t.is(result.outcome, 'failed');
	t.is(result.point, null);
	t.regex(result.error ?? '', /scaled-2`, which writes to the volume .*_scaled", was started while the target was quiesced.*--scale/);
	t.deepEqual([await stack.state('scaled'), await inspected(second, '{{.State.Status}}')], ['running', 'running']);

	const [both] = await stack.backup(target('scaled'));
	t.is(both?.outcome, 'success', both?.error);
	const {result: fewer} = await heldWindow(stack, target('scaled'), async () =>
		stack.compose('up', '--detach', '--no-recreate', '--scale', 'scaled=1', 'scaled').catch(() => stack.docker(['rm', '--force', second])),
	);
	t.is(fewer.outcome, 'failed');
	t.regex(fewer.error ?? '', /scaled-2` was removed while it was quiesced|was started by somebody else/);
	t.is(await stack.state('scaled'), 'running');
	const [alone] = await stack.backup(target('scaled'));
	t.is(alone?.outcome, 'success', alone?.error);
});
