import {readdir, readFile, writeFile} from 'node:fs/promises';
import {Readable} from 'node:stream';
import {buffer, text} from 'node:stream/consumers';
import {setTimeout as delay} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {createClient} from '../../../../agent/api/client.ts';
import {BusyError, UsageError} from '../../../../base/errors.ts';
import {createCliTest} from '../../../support/doubles/cli.ts';
import {createFakeAgent, targetView} from '../../../support/doubles/fake-agent.ts';
import {serveAgent} from '../../../support/doubles/server.ts';
import {temporaryFolder} from '../../../support/temporary-folder.ts';
import {until} from '../../../support/until.ts';

async function serve(t: ExecutionContext, stalledMs = 5000) {
	const agent = createFakeAgent();
	agent.has.targets = [targetView('shop/app')];
	const server = await serveAgent(t, agent, {stalledMs, report() {}});
	return {agent, url: server.url, client: createClient({url: server.url, token: 'token'})};
}

const request = {target: 'shop/app', only: ['volume:/data'], file: 'a.tar.gz', trigger: 'cli'};

async function* megabytes(count: number): AsyncGenerator<Buffer> {
	for (let n = 0; n < count; n++) {
		yield Buffer.alloc(1_000_000, n);
	}
}

test('an archive is sent, with its name and its point', async t => {
	const {agent, client, url} = await serve(t);
	const {name, point, stream} = await client.export({target: 'shop/app', point: 'latest', only: ['a', 'b:c,d']});
	t.is(name, 'files_and_database-shop-app-202611031200.tar.gz');
	t.is(point, 'shop/app-1');
	t.is(await text(stream), 'archive');
	t.deepEqual(agent.calls, [{export: {target: 'shop/app', point: 'latest', only: ['a', 'b:c,d']}}]);
	t.is((await fetch(`${url}/api/v1/export?target=shop/app`)).status, 401);
	await t.throwsAsync(client.export({target: 'no/such', point: 'latest', only: []}), {message: /there is no target `no\/such`/});
});

test('an archive that cannot be made whole does not look whole', async t => {
	const {agent, client, url} = await serve(t);
	agent.has.archive = () =>
		Readable.from(
			(async function* () {
				yield* megabytes(3);
				throw new Error('a pack is missing');
			})(),
			{objectMode: false},
		);
	const {stream} = await client.export({target: 'shop/app', point: 'latest', only: []});
	await t.throwsAsync(buffer(stream));
	const fetched = await fetch(`${url}/api/v1/export?target=shop/app`, {headers: {Authorization: 'Bearer token'}});
	await t.throwsAsync(fetched.arrayBuffer());
});

test('an archive of any size comes in', async t => {
	const {agent, client} = await serve(t);
	agent.onRun = run => agent.finish(run);
	const run = await client.import(request, Readable.from(megabytes(30), {objectMode: false}));
	t.is(run, 'run-1');
	t.is(agent.has.received.length > 0, true);
	t.deepEqual(agent.calls, [{import: request}]);
});

test('who is refused learns why, however much is still to come', async t => {
	const {agent, client} = await serve(t);
	agent.import = async ({body}) => {
		body.destroy();
		throw new BusyError('`shop/app` is busy with run x');
	};
	await t.throwsAsync(client.import(request, Readable.from(megabytes(50), {objectMode: false})), {
		instanceOf: BusyError,
		message: /busy with run x/,
	});
	agent.import = async ({body}) => {
		for await (const _ of body) {
			break;
		}

		const received = Promise.reject(new UsageError('it is no archive'));
		received.catch(() => {});
		return {run: 'run-1', finished: new Promise(() => {}), received};
	};
	await t.throwsAsync(client.import(request, Readable.from(megabytes(50), {objectMode: false})), {
		instanceOf: UsageError,
		message: /no archive/,
	});
});

test('a repository that takes longer to begin than a client may take nothing does not break the answer; nor does it wait for ever', async t => {
	const {agent, client} = await serve(t, 100);
	agent.has.archive = () =>
		Readable.from(
			(async function* () {
				await delay(500);
				yield Buffer.from('late');
			})(),
			{objectMode: false},
		);
	const {stream} = await client.export({target: 'shop/app', point: 'latest', only: []});
	t.is(await text(stream), 'late');
});

test('who takes nothing is let go', async t => {
	const {agent, client} = await serve(t, 200);
	const archive = Readable.from(megabytes(100), {objectMode: false});
	agent.has.archive = () => archive;
	const {stream} = await client.export({target: 'shop/app', point: 'latest', only: []});
	stream.on('error', () => {});
	stream.pause();
	await until('the archive to be let go', () => archive.destroyed);
	t.pass();
	stream.destroy();
});

test('who sends nothing is let go', async t => {
	const {agent, client} = await serve(t, 200);
	let failure: unknown;
	agent.import = async ({body}) => {
		const received = text(body).then(
			() => {},
			(error: unknown) => {
				failure = error;
				throw new UsageError('it broke off');
			},
		);
		received.catch(() => {});
		return {run: 'run-1', finished: new Promise(() => {}), received};
	};
	const silent = new Readable({read() {}});
	silent.push('beginning');
	await t.throwsAsync(client.import(request, silent), {message: /it broke off/});
	t.regex(String(failure), /nothing came for 200ms/);
	silent.destroy();
});

const folder = async (t: ExecutionContext): Promise<string> => {
	const path = temporaryFolder(t);
	return path;
};

test('the command line writes a file that is whole, or none', async t => {
	const cli = await createCliTest(t);
	cli.agent.has.targets = [targetView('shop/app')];
	const path = await folder(t);
	const {code, out} = await cli.run(`export shop/app -o ${path}/a.tar.gz --json`);
	t.is(code, 0);
	t.deepEqual(JSON.parse(out), {target: 'shop/app', point: 'shop/app-1', file: `${path}/a.tar.gz`, bytes: 7});
	t.is(await readFile(`${path}/a.tar.gz`, 'utf8'), 'archive');
	t.regex((await cli.run(`export shop/app -o ${path}/a.tar.gz`)).err, /exists already/);
	cli.agent.has.archive = () =>
		Readable.from(
			(async function* () {
				yield Buffer.alloc(100_000);
				throw new Error('a pack is missing');
			})(),
			{objectMode: false},
		);
	const broken = await cli.run(`export shop/app -o ${path}/b.tar.gz`);
	t.is(broken.code, 1);
	t.regex(broken.err, /broke off, and nothing is left of it/);
	t.deepEqual(await readdir(path), ['a.tar.gz']);
});

test('the command line writes to the standard output, but never to a terminal', async t => {
	const cli = await createCliTest(t);
	cli.agent.has.targets = [targetView('shop/app')];
	t.like(await cli.run('export shop/app'), {code: 0, out: 'archive'});
	t.like(await cli.run('export shop/app -o -'), {code: 0, out: 'archive'});
	t.like(await cli.run('export shop/app -o -', {columns: 80}), {code: 2, out: ''});
	t.like(await cli.run('export shop/app -o - --json'), {code: 2, out: ''});
	t.is((await cli.run('export no/such')).code, 2);
});

test('the command line sends a file, or its standard input, and follows the run', async t => {
	const cli = await createCliTest(t);
	cli.agent.has.targets = [targetView('shop/app')];
	cli.agent.onRun = run => cli.agent.finish(run, {point: 'p9'});
	const path = await folder(t);
	await writeFile(`${path}/shop.tar.gz`, 'content of the archive');
	const {code, out} = await cli.run(`import shop/app ${path}/shop.tar.gz --only db/postgres:app --json`);
	t.is(code, 0);
	t.like(JSON.parse(out), {run: 'run-1', outcome: 'success', point: 'p9'});
	t.is(cli.agent.has.received, 'content of the archive');
	t.deepEqual(cli.agent.calls, [{import: {target: 'shop/app', only: ['db/postgres:app'], file: 'shop.tar.gz', trigger: 'cli'}}]);
	t.is((await cli.run('import shop/app -', {input: 'from stdin'})).code, 0);
	t.is(cli.agent.has.received, 'from stdin');
	t.like(await cli.run('import shop/app -', {input: 'x', columns: 80}), {code: 2});
	t.like(await cli.run('import shop/app /no/such/file'), {code: 2});
	cli.agent.onRun = run => cli.agent.finish(run, {outcome: 'failed', point: null, error: 'broken'});
	t.is((await cli.run(`import shop/app ${path}/shop.tar.gz`)).code, 1);
});
