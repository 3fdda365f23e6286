/** The window, on an engine of containers that are only states: who is stopped, how long the engine may take, and who is up afterwards. */
import {setTimeout as delay} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {explain} from '../../../base/errors.ts';
import type {ContainerDetails} from '../../../docker/details.ts';
import type {Engine} from '../../../docker/engine.ts';
import type {Needing} from '../../../docker/order.ts';
import {quiesced} from '../../../docker/quiesce.ts';
import {explainPause} from '../../../docker/refusal.ts';
import type {Journal, JournalEntry, Undo} from '../../../docker/resume.ts';

const serviceId = 'a'.repeat(25);

const swarmLabels = {
	'com.docker.swarm.task.id': 'b'.repeat(25),
	'com.docker.swarm.service.id': serviceId,
	'com.docker.swarm.service.name': 'shop_app',
};

type Fake = Partial<ContainerDetails> & {
	/** What becomes of it when it is started; by default it runs. */
	onStart?: (self: Fake) => void;
	/** By default it is exited when the call is over. */
	onStop?: (self: Fake, seconds: number) => Promise<void> | void;
};

function scene(fakes: Record<string, Fake>) {
	const asked: string[] = [];
	const warnings: string[] = [];
	let entries: JournalEntry[] = [];
	let starts = 0;
	const journal: Journal = {
		record(run, undo: Undo) {
			entries = [...entries, {id: entries.length + 1, run, undo}];
			return entries.length;
		},
		clear(id) {
			entries = entries.filter(entry => entry.id !== id);
		},
		open: () => entries,
	};
	const get = (id: string): Fake => {
		const fake = fakes[id];
		if (fake === undefined) {
			throw Object.assign(new Error(`No such container: ${id}`), {statusCode: 404});
		}

		return fake;
	};

	const engine = {
		async list() {
			return Object.entries(fakes).map(([id, {name = id}]) => ({id, name}));
		},
		async inspect(id: string) {
			const {onStart, onStop, ...details} = get(id);
			return {
				id,
				name: id,
				state: 'running',
				startedAt: '0',
				exitCode: 0,
				autoRemove: false,
				stopTimeoutSeconds: 10,
				labels: {},
				...details,
			};
		},
		async pause(id: string) {
			asked.push(`pause ${id}`);
			get(id).state = 'paused';
		},
		async unpause(id: string) {
			asked.push(`unpause ${id}`);
			get(id).state = 'running';
		},
		async start(id: string) {
			asked.push(`start ${id}`);
			const fake = get(id);
			fake.state = 'running';
			fake.startedAt = String(++starts);
			fake.onStart?.(fake);
		},
		async stop(id: string, seconds: number) {
			asked.push(`stop ${id}`);
			const fake = get(id);
			if (fake.onStop !== undefined) {
				return fake.onStop(fake, seconds);
			}

			fake.state = 'exited';
		},
	} as unknown as Engine;
	const run = async (
		containers: ReadonlyArray<{container: Needing; action: 'pause' | 'stop'}>,
		work: () => Promise<void> = async () => {},
		more: {limitMs?: number; stopLimitMs?: number; wakes?: ReadonlySet<string>} = {},
	) =>
		quiesced(
			{
				engine,
				journal,
				run: 'run',
				containers,
				signal: new AbortController().signal,
				onWarning: message => warnings.push(message),
				...more,
			},
			work,
		);
	return {run, engine, journal, asked, warnings, fakes, open: () => entries};
}

const of = (id: string, action: 'pause' | 'stop', more: Partial<Needing> = {}) => ({container: {id, name: id, ...more}, action});
const service = (name: string, ...dependsOn: string[]) => of(name, 'stop', {project: 'shop', service: name, dependsOn});

/** What a person is told, the engine's words with it. */
async function refused(t: ExecutionContext, run: Promise<unknown>, words: RegExp): Promise<void> {
	t.regex(explain(await t.throwsAsync(run)), words);
}

/** A service of Swarm with one task, whose container goes when it is scaled down. */
function swarmScene() {
	const found = scene({task: {labels: swarmLabels}});
	/** `late`: so many more looks see a task run that has ended, or is on another node. */
	const swarm = {mode: 'replicated' as 'replicated' | 'global', replicas: 1, owner: 'task', late: 0};
	Object.assign(found.engine, {
		async service() {
			const {mode, replicas} = swarm;
			const running = replicas === 0 && swarm.late-- > 0 ? 1 : replicas;
			return {id: serviceId, name: 'shop_app', mode, replicas, running, labels: {}};
		},
		tasks: async () => [{state: 'running', since: 0, container: swarm.owner}],
		async scale(_id: string, replicas: number) {
			found.asked.push(`scale ${replicas}`);
			swarm.replicas = replicas;
			if (replicas === 0) {
				delete found.fakes.task;
			}
		},
	});
	return {...found, swarm};
}

test('a task of Swarm is stopped with its service, and the service has as many tasks again', async t => {
	const {run, asked, open} = swarmScene();
	await run([of('task', 'stop')], async () => {
		t.deepEqual(asked, ['scale 0']);
		t.like(open()[0]?.undo, {kind: 'scale', service: serviceId, replicas: 1, container: {id: 'task'}});
	});
	t.deepEqual(asked, ['scale 0', 'scale 1']);
	t.deepEqual(open(), []);
});

test('the window begins when Swarm says that no task of the service runs any more, on whatever node', async t => {
	const {run, swarm} = swarmScene();
	swarm.late = 2;
	await run([of('task', 'stop')], async () => {
		t.true(swarm.late < 0);
	});

	const other = swarmScene();
	other.swarm.late = Number.POSITIVE_INFINITY;
	await t.throwsAsync(
		other.run([of('task', 'stop')], async () => t.fail(), {stopLimitMs: 50}),
		{
			message: /Swarm did not stop all tasks of the service `shop_app`/,
		},
	);
});

test('a service of Swarm that an earlier life has scaled to nothing has as many tasks afterwards as it had before that', async t => {
	const {run, asked, swarm, journal, fakes} = swarmScene();
	swarm.replicas = 0;
	Object.assign(fakes.task ?? {}, {state: 'exited'});
	journal.record('before', {
		kind: 'scale',
		containerId: 'gone',
		containerName: 'gone',
		service: serviceId,
		serviceName: 'shop_app',
		replicas: 3,
	});
	await run([of('task', 'stop')], async () => {}, {wakes: new Set(['task'])});
	t.deepEqual(asked, ['scale 3']);
});

test('a service of Swarm that somebody else scales meanwhile was not at rest', async t => {
	const {run, swarm} = swarmScene();
	const work = async () => {
		swarm.replicas = 3;
	};
	await t.throwsAsync(run([of('task', 'stop')], work), {message: /somebody else scaled the Swarm service `shop_app`/});
	t.is(swarm.replicas, 3);
});

for (const [what, statusCode] of [
	['nobody answered', undefined],
	['the manager gave up', 500],
] as const) {
	test(`to scale down may come late where ${what}: the service is written anew, so that Swarm refuses it`, async t => {
		const {run, engine, asked, swarm, open} = swarmScene();
		let version = 1;
		let isFirst = true;
		let late = () => {};
		Object.assign(engine, {
			async scale(_id: string, replicas: number) {
				asked.push(`scale ${replicas}`);
				if (!isFirst) {
					version++;
					swarm.replicas = replicas;
					return;
				}

				isFirst = false;
				const seen = version;
				late = () => {
					swarm.replicas = seen === version ? replicas : swarm.replicas;
				};
				throw Object.assign(new Error('rpc error: code = DeadlineExceeded'), {statusCode});
			},
		});
		await t.throwsAsync(run([of('task', 'stop')]), {message: /DeadlineExceeded/});
		late();
		t.is(swarm.replicas, 1);
		t.deepEqual(asked, ['scale 0', 'scale 1']);
		t.deepEqual(open(), []);
	});
}

test('who only says that it is a task of Swarm stops nobody; nor is what is global stopped', async t => {
	const forged = swarmScene();
	forged.swarm.owner = 'another';
	await t.throwsAsync(forged.run([of('task', 'stop')]), {message: /Swarm does not know it as one/});
	t.deepEqual(forged.asked, []);
	const everywhere = swarmScene();
	everywhere.swarm.mode = 'global';
	await t.throwsAsync(everywhere.run([of('task', 'stop')]), {message: /one task on each node/});
	t.deepEqual(everywhere.asked, []);
});

test('who ran before is started, although it was found stopped', async t => {
	const {run, asked, open} = scene({app: {state: 'exited', exitCode: 1}, other: {state: 'exited'}});
	await run([of('app', 'stop'), of('other', 'stop')], undefined, {wakes: new Set(['app'])});
	t.deepEqual(asked, ['start app']);
	t.deepEqual(open(), []);
});

test('a dependent is started when what it needs is healthy, and not before', async t => {
	const {run, asked} = scene({
		db: {
			health: 'healthy',
			onStart(self) {
				self.health = 'starting';
				setTimeout(() => {
					asked.push('db is healthy');
					self.health = 'healthy';
				}, 400);
			},
		},
		app: {},
	});
	await run([service('app', 'db'), service('db')]);
	t.deepEqual(asked, ['stop app', 'stop db', 'start db', 'db is healthy', 'start app']);
});

test('who lives in the network of another is started after it', async t => {
	const {run, asked} = scene({vpn: {}, torrent: {}});
	await run([of('torrent', 'stop', {livesIn: ['vpn']}), of('vpn', 'stop')]);
	t.deepEqual(asked, ['stop torrent', 'stop vpn', 'start vpn', 'start torrent']);
});

test('one that exits once and comes up is up, whether the engine restarts it', async t => {
	const {run} = scene({
		app: {
			onStart(self) {
				self.state = 'restarting';
				setTimeout(() => Object.assign(self, {state: 'running', startedAt: 'again'}), 300);
			},
		},
	});
	await t.notThrowsAsync(async () => run([of('app', 'stop')]));
});

test('… or nobody but Holdfast does', async t => {
	let tries = 0;
	const {run, asked} = scene({
		app: {
			onStart(self) {
				if (++tries === 1) {
					Object.assign(self, {state: 'exited', exitCode: 1});
				}
			},
		},
	});
	await t.notThrowsAsync(async () => run([of('app', 'stop')]));
	t.deepEqual(asked, ['stop app', 'start app', 'start app']);
});

test('one that never comes up is told, with the command', async t => {
	const {run} = scene({app: {onStart: self => Object.assign(self, {state: 'exited', exitCode: 3})}});
	const error = await t.throwsAsync(async () => run([of('app', 'stop')]));
	t.regex(error?.message ?? '', /was started again but is exited \(exit code 3\)/);
});

test('one that crashes over and over is stopped and put back, and need not stay up; it cannot be paused', async t => {
	const crash = (self: Fake) => Object.assign(self, {state: 'restarting', exitCode: 1});
	const {run, asked, warnings} = scene({app: {state: 'restarting', onStart: crash}, other: {state: 'restarting', onStart: crash}});
	await run([of('app', 'stop'), of('other', 'pause')]);
	t.deepEqual(asked, ['stop app', 'start app']);
	t.is(warnings.length, 1);
	t.regex(warnings[0] ?? '', /`other` restarts over and over.*may be of different moments/);
});

test('a container that is exchanged in the window is noticed, and the kind of program is named', async t => {
	const {run, fakes} = scene({app: {}});
	const error = await t.throwsAsync(async () =>
		run([of('app', 'pause')], async () => {
			delete fakes.app;
			fakes.new = {name: 'app'};
		}),
	);
	t.regex(error?.message ?? '', /`app` was exchanged for another/);
	t.regex((error as {hint?: string}).hint ?? '', /Watchtower and autoheal/);
});

for (const [action, way] of [
	['stop', /docker compose up --detach\. `docker system prune`.*`holdfast\.quiesce=pause`/],
	['pause', /docker compose up --detach$/],
] as const) {
	test(`one that is removed while it is to ${action}, with nobody in its place, is said to be down`, async t => {
		const {run, fakes, open} = scene({app: {}});
		const error = await t.throwsAsync(async () =>
			run([of('app', action)], async () => {
				delete fakes.app;
			}),
		);
		t.is(error?.message, 'container `app` was removed while it was quiesced, and there is no other in its place: it is down');
		t.regex((error as {hint?: string}).hint ?? '', way);
		t.deepEqual(open(), []);
	});
}

test('one that was exchanged before its turn is found by its name', async t => {
	const {run, asked} = scene({new: {name: 'app'}});
	await run([of('app', 'stop')]);
	t.deepEqual(asked, ['stop new', 'start new']);
});

test('the limit on the outage holds through a stop: the grace period is cut', async t => {
	const {run, asked, warnings} = scene({
		app: {
			stopTimeoutSeconds: 600,
			onStop(self, seconds) {
				asked.push(`within ${seconds} s`);
				Object.assign(self, {state: 'exited', exitCode: 137});
			},
		},
	});
	await run([of('app', 'stop')], undefined, {limitMs: 60_000});
	t.is(asked[1], 'within 59 s');
	t.regex(warnings.join(), /did not end within the 59 s that `holdfast.quiesce.timeout` left of its 600 s/);
});

test('stops that share a limit are cut when it is used up, and the work goes on: nobody is down for the sum of all grace periods', async t => {
	const stubborn = {
		stopTimeoutSeconds: 300,
		async onStop(self: object, seconds: number) {
			asked.push(`within ${seconds} s`);
			await delay(1100);
			Object.assign(self, {state: 'exited', exitCode: 137});
		},
	};
	const {run, asked, warnings} = scene({app: {...stubborn}, db: {...stubborn}});
	let isDone = false;
	const work = async () => {
		isDone = true;
	};
	await run([service('app', 'db'), service('db')], work, {stopLimitMs: 3000});
	t.true(isDone);
	t.deepEqual(asked.slice(0, 5), ['stop app', 'within 2 s', 'stop db', 'within 1 s', 'start db']);
	t.regex(warnings[1] ?? '', /`db` did not end within the 1 s that `holdfast.quiesce.timeout` left of its 300 s/);
});

test('many are stopped at once, each with its whole grace period, and a server when those that need it have ended', async t => {
	const log: string[] = [];
	const slow = (name: string, ms: number): Fake => ({
		async onStop(self, seconds) {
			log.push(`${name} has ${seconds} s`);
			await delay(ms);
			log.push(`${name} ended`);
			Object.assign(self, {state: 'exited'});
		},
	});
	const {run} = scene({web: slow('web', 600), jobs: slow('jobs', 300), db: slow('db', 0), mail: slow('mail', 150), other: {}});
	await run([service('jobs', 'db'), service('mail'), service('web', 'db'), service('db'), of('other', 'pause')], undefined, {
		// Less than one after the other would take, and more than a busy machine needs
		stopLimitMs: 19_000,
	});
	t.deepEqual(log, ['jobs has 10 s', 'mail has 10 s', 'web has 10 s', 'mail ended', 'jobs ended', 'web ended', 'db has 10 s', 'db ended']);
});

test('one that cannot be stopped: nobody else is, those that are being stopped are waited for, and all are put back', async t => {
	const {run, asked, fakes} = scene({
		app: {
			onStop() {
				throw Object.assign(new Error('no'), {statusCode: 400});
			},
		},
		slow: {
			async onStop(self) {
				await delay(300);
				self.state = 'exited';
			},
		},
		db: {},
	});
	await refused(t, run([service('app', 'db'), service('slow', 'db'), service('db')]), /could not be stopped/);
	t.false(asked.includes('stop db'));
	t.is(fakes.slow?.state, 'running');
});

test('a stop that nobody heard the end of is not taken for done: who ends later is started', async t => {
	const {run, asked, open} = scene({
		app: {
			async onStop(self) {
				setTimeout(() => Object.assign(self, {state: 'exited'}), 500);
				throw new Error('The operation was aborted due to timeout');
			},
		},
	});
	await t.throwsAsync(async () => run([of('app', 'stop')]), {message: /timeout/});
	t.deepEqual(asked, ['stop app', 'start app']);
	t.deepEqual(open(), []);
});

test('… and one that may end even later stays in the journal', async t => {
	const {run, asked, open} = scene({
		app: {
			stopTimeoutSeconds: 0,
			async onStop() {
				throw new Error('The operation was aborted due to timeout');
			},
		},
	});
	await t.throwsAsync(async () => run([of('app', 'stop')]));
	t.deepEqual(asked, ['stop app']);
	t.is(open().length, 1);
});

test('… nor is one that the engine gave up: who was killed, and whose end came late, is started', async t => {
	const {run, asked, open} = scene({
		app: {
			async onStop(self) {
				setTimeout(() => Object.assign(self, {state: 'exited'}), 500);
				throw Object.assign(new Error('cannot stop container: tried to kill container, but did not receive an exit event'), {
					statusCode: 500,
				});
			},
		},
	});
	await refused(t, run([of('app', 'stop')]), /exit event/);
	t.deepEqual(asked, ['stop app', 'start app']);
	t.deepEqual(open(), []);
});

test('… but what the engine refuses is not waited for', async t => {
	const {run, asked, open} = scene({
		app: {
			async onStop() {
				throw Object.assign(new Error('permission denied'), {statusCode: 403});
			},
		},
	});
	await refused(t, run([of('app', 'stop')]), /permission denied/);
	t.deepEqual([asked, open()], [['stop app'], []]);
});

test('nor is a pause that the engine answered badly: who stands still later is resumed; what it cannot do at all is not waited for', async t => {
	const late = scene({app: {}});
	late.engine.pause = async () => {
		setTimeout(() => Object.assign(late.fakes.app as Fake, {state: 'paused'}), 500);
		throw Object.assign(new Error('Bad Gateway'), {statusCode: 502});
	};
	await refused(t, late.run([of('app', 'pause')]), /Bad Gateway/);
	t.deepEqual([late.asked, late.open()], [['unpause app'], []]);

	const never = scene({app: {}});
	never.engine.pause = async () => {
		throw explainPause(Object.assign(new Error('cgroups not configured'), {statusCode: 500}));
	};
	const begun = performance.now();
	await t.throwsAsync(never.run([of('app', 'pause')]), {message: /cannot pause a container/});
	t.true(performance.now() - begun < 1000);
	t.deepEqual(never.open(), []);
});

test('one that is paused by somebody else meanwhile is forgotten, and nobody who was stopped beside it', async t => {
	const {run, engine, asked, open, fakes} = scene({passing: {autoRemove: true}, app: {}});
	engine.pause = async () => {
		await delay(50);
		throw Object.assign(new Error('Container is already paused'), {statusCode: 409});
	};
	await refused(t, run([of('passing', 'stop'), of('app', 'stop')]), /already paused/);
	t.deepEqual([asked, open(), fakes.app?.state], [['stop app', 'start app'], [], 'running']);
});

const refusal = (message: string) => Object.assign(new Error(message), {statusCode: 500});

test('who escapes the freezer is tried again; who cannot be paused is left as it was, and so are those before it', async t => {
	const {run, engine, asked, fakes, open} = scene({a: {}, b: {}});
	const pause = engine.pause.bind(engine);
	let refusals = 2;
	engine.pause = async id => {
		if (id === 'b' && refusals-- > 0) {
			throw refusal('OCI runtime pause failed: unable to freeze: unknown');
		}

		return pause(id);
	};
	await run([of('a', 'pause'), of('b', 'pause')]);
	t.deepEqual(asked, ['pause a', 'pause b', 'unpause b', 'unpause a']);

	engine.pause = async id => (id === 'b' ? Promise.reject(refusal('cannot pause container b: broken')) : pause(id));
	await refused(t, run([of('a', 'pause'), of('b', 'pause')]), /broken/);
	t.deepEqual([fakes.a?.state, fakes.b?.state, open()], ['running', 'running', []]);
});

test('who cannot be resumed stays in the journal, and its command is named; the others are resumed', async t => {
	const {run, engine, fakes, open} = scene({a: {}, b: {}});
	const unpause = engine.unpause.bind(engine);
	engine.unpause = async id => (id === 'b' ? Promise.reject(refusal('OCI runtime resume failed')) : unpause(id));
	const error = await t.throwsAsync(run([of('a', 'pause'), of('b', 'pause')]));
	t.regex(explain(error), /resume failed.*docker unpause b/s);
	t.deepEqual([fakes.a?.state, fakes.b?.state], ['running', 'paused']);
	t.deepEqual(
		open().map(({undo}) => undo),
		[{kind: 'unpause', containerId: 'b', containerName: 'b'}],
	);
});

test('who lives in what is gone, or does not run, is not stopped, and neither is anybody else', async t => {
	const vpn = {networkMode: 'container:vpn'};
	for (const [fakes, why] of [
		[{torrent: vpn}, /`torrent`, the container in whose .* it lives was replaced/],
		[{torrent: {pidMode: 'container:vpn'}, vpn: {state: 'exited'}}, /`vpn`, in whose .* it lives, does not run \(exited\)/],
	] as Array<[Record<string, Fake>, RegExp]>) {
		const {run, asked, open} = scene({...fakes, app: {}});
		const error = await t.throwsAsync(run([of('app', 'stop'), of('torrent', 'stop')]));
		t.regex(explain(error), why);
		t.deepEqual([asked, open()], [[], []]);
	}

	const paused = scene({torrent: vpn});
	await paused.run([of('torrent', 'pause')]);
	t.deepEqual(paused.asked, ['pause torrent', 'unpause torrent'], 'a pause needs nobody');
	const together = scene({torrent: vpn, vpn: {}});
	await together.run([of('torrent', 'stop', {livesIn: ['vpn']}), of('vpn', 'stop')]);
	t.deepEqual(together.asked, ['stop torrent', 'stop vpn', 'start vpn', 'start torrent']);
});
