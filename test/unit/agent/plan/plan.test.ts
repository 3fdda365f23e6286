import process from 'node:process';
import test from 'ava';
import fc from 'fast-check';
import {planTarget} from '../../../../agent/plan/plan.ts';
import type {Plan, PlanRequest} from '../../../../agent/plan/planned.ts';
import {kindOf} from '../../../../agent/sources/kinds.ts';
import {isDatabase} from '../../../../agent/sources/postgres/plan.ts';
import type {FoundFiles} from '../../../../agent/sources/sqlite/find.ts';
import {isVolume} from '../../../../agent/sources/volume/plan.ts';
import {discoverTargets} from '../../../../agent/targets/discovery.ts';
import type {Target} from '../../../../agent/targets/target.ts';
import type {Container, ContainerState, Mount} from '../../../../docker/container.ts';
import {containerFromList} from '../../../../docker/container.ts';
import {answersOf, type Said} from '../../../support/doubles/answers.ts';

const volume = (name: string, path: string, readWrite = true): Mount => ({
	type: 'volume',
	volume: name,
	hostPath: `/var/lib/docker/volumes/${name}/_data`,
	path,
	readWrite,
});

const bind = (hostPath: string, path: string, readWrite = true): Mount => ({type: 'bind', hostPath, path, readWrite});

interface Sketch {
	project?: string | undefined;
	state?: ContainerState;
	labels?: Record<string, string>;
	mounts?: readonly Mount[];
	dependsOn?: string;
	number?: number;
	oneOff?: boolean;
	target?: boolean;
	rawLabels?: Record<string, string>;
}

/** A service of project `demo`; a target unless told otherwise. */
function service(
	name: string,
	{project = 'demo', state = 'running', labels = {}, mounts = [], dependsOn = '', number = 1, target = true, ...rest}: Sketch = {},
): Container {
	return containerFromList({
		Id: `${project}-${name}-${number}`,
		Names: [`/${project}-${name}-${number}`],
		Image: 'image',
		ImageID: 'sha256:1',
		Created: 0,
		State: state,
		Labels: {
			'com.docker.compose.project': project,
			'com.docker.compose.service': name,
			'com.docker.compose.container-number': String(number),
			'com.docker.compose.oneoff': rest.oneOff ? 'True' : 'False',
			'com.docker.compose.depends_on': dependsOn,
			...(target ? {'holdfast.enable': 'true'} : {}),
			...Object.fromEntries(Object.entries(labels).map(([label, value]) => [`holdfast.${label}`, value])),
			...rest.rawLabels,
		},
		Mounts: mounts.map(mount => ({
			Type: mount.type,
			Name: mount.volume,
			Source: mount.hostPath,
			Destination: mount.path,
			RW: mount.readWrite,
		})),
	});
}

const other = (name: string, sketch: Sketch = {}) => service(name, {...sketch, target: false});

const lone = (name: string, sketch: Sketch = {}): Container => {
	const labels = Object.fromEntries(Object.entries(sketch.labels ?? {}).map(([label, value]) => [`holdfast.${label}`, value]));
	return {
		...service(name, sketch),
		id: name,
		name,
		project: undefined,
		service: undefined,
		labels: {...(sketch.target === false ? {} : {'holdfast.enable': 'true'}), ...labels},
	};
};

interface Planned extends Plan {
	problems: string[];
	hints: string[];
	names: string[];
	/** `name action`, in order. */
	still: string[];
}

type Options = Partial<Omit<PlanRequest, 'target' | 'containers'>> & Said;

/** The plan of the first target among these containers (by name). */
function plan(containers: readonly Container[], options: Options = {}): Planned {
	const [target] = discoverTargets(containers);
	if (target === undefined) {
		throw new Error('no target');
	}

	const {plan, problems} = planTarget({target, containers, answers: answersOf(options), defaults: {schedule: '0 3 * * *'}, ...options});
	return {
		...plan,
		problems: problems.map(({message}) => message),
		hints: problems.flatMap(({hint}) => hint ?? []),
		names: plan.sources.map(({name}) => name),
		still: plan.quiesce.map(({container, action}) => `${container.name} ${action}`),
	};
}

const app = (labels: Record<string, string> = {}, sketch: Sketch = {}) =>
	service('app', {labels, mounts: [volume('data', '/data')], ...sketch});

// Volumes

test('without any source named, every mount that it may write is backed up and the app is paused', t => {
	const {names, problems, notes, still, quiesceTimeoutMs, target} = plan([app({}, {mounts: [volume('z', '/z'), bind('/srv/a', '/a')]})]);
	t.deepEqual(names, ['volume:/a', 'volume:/z']);
	t.deepEqual([problems, notes], [[], []]);
	t.deepEqual(still, ['demo-app-1 pause']);
	t.is(quiesceTimeoutMs, 300_000);
	t.is(target, 'demo/app');
});

test('with another source named, volumes are not backed up by default', t => {
	t.deepEqual(plan([app({sqlite: '/data/a.db'})]).names, ['sqlite:/data/a.db']);
	t.deepEqual(plan([app({tar: '/etc/app'})]).names, ['tar:/etc/app']);
	t.deepEqual(plan([app({postgres: 'a'})]).names, ['postgres:a']);
	t.deepEqual(plan([app({tar: '/etc/app', volumes: 'true'})]).names, ['volume:/data', 'tar:/etc/app']);
});

test('volumes are named by path or by volume', t => {
	const mounts = [volume('data', '/data'), volume('cache', '/cache'), bind('/srv', '/srv')];
	t.deepEqual(plan([app({volumes: 'data,/srv'}, {mounts})]).names, ['volume:/data', 'volume:/srv']);
	t.deepEqual(plan([app({volumes: 'data,/data'}, {mounts})]).names, ['volume:/data']);
	const missing = plan([app({volumes: '/data,/dat'}, {mounts})]);
	t.deepEqual(missing.problems, [
		'`demo/app`: `holdfast.volumes` must name mounts of the container by path or volume, got "/dat": its mounts are "/data" (volume "data"), "/cache" (volume "cache"), "/srv" (bind mount of "/srv")',
	]);
});

test('nothing to back up is a problem', t => {
	for (const container of [
		app({}, {mounts: []}),
		app({volumes: 'false'}),
		app({volumes: 'true'}, {mounts: [bind('/var/run/docker.sock', '/x')]}),
	]) {
		t.regex(plan([container]).problems[0] ?? '', /^`demo\/app`: there is nothing to back up/);
	}

	t.is(plan([app({sqlite: 'bad label'}, {mounts: []})]).problems.length, 0, 'the label is the problem');
});

test('what belongs to the engine and the system is left out, and a note says so', t => {
	for (const [hostPath, path] of [
		['/var/run/docker.sock', '/var/run/docker.sock'],
		['/run/docker.sock', '/sock'],
		['/srv/sock', '/run/docker.sock'],
		['/etc/localtime', '/etc/localtime'],
		['/usr/share/zoneinfo/UTC', '/etc/timezone'],
		['/x', '/etc/resolv.conf'],
		['/x', '/etc/hosts'],
		['/x', '/etc/hostname'],
	] as const) {
		const {names, notes, problems} = plan([app({}, {mounts: [volume('data', '/data'), bind(hostPath, path, false)]})]);
		t.deepEqual([names, problems], [['volume:/data'], []]);
		t.is(notes.length, 1);
		t.true(notes[0]?.startsWith(`\`demo/app\`: the mount "${path}" (bind mount of "${hostPath}") is left out: it is `), notes[0]);
	}

	const hosts = {mounts: [bind('/etc/hosts', '/etc/hosts'), bind('/var/run/docker.sock', '/var/run/docker.sock')]};
	t.deepEqual(plan([app({volumes: '/etc/hosts'}, hosts)]).names, ['volume:/etc/hosts']);
	t.regex(plan([app({volumes: '/var/run/docker.sock'}, hosts)]).problems[0] ?? '', /must not name the mount .* it is the engine's socket/);
});

test('what belongs to the system is left out by every name, and what holds it too', t => {
	for (const [hostPath, path, why = 'is of the system'] of [
		['/dev', '/dev'],
		['/dev/ttyUSB0', '/dev/ttyUSB0'],
		['/proc', '/host/proc'],
		['/sys/class', '/x'],
		['/run/dbus', '/run/dbus'],
		['/srv/run', '/run/udev'],
		['/lib/modules', '/lib/modules'],
		['/usr/lib/modules/6.1', '/m'],
		['/etc/passwd', '/host/etc/passwd'],
		['/srv/fake', '/etc/ssl/certs'],
		['/etc', '/host/etc', 'shows what is of the system (/etc/'],
		['/usr', '/host/usr', 'shows what is of the system (/usr/'],
		['/usr/src', '/host/src'],
		['/run/media', '/run/media'],
	] as const) {
		const mounts = [volume('data', '/data'), bind(hostPath, path)];
		const {names, notes, problems} = plan([app({}, {mounts})]);
		t.deepEqual([names, problems], [['volume:/data'], []], path);
		t.true(notes[0]?.includes(why), notes[0]);
		t.deepEqual(plan([app({volumes: path}, {mounts})]).names, [`volume:${path}`], 'it may be named');
	}

	for (const [hostPath, path] of [
		['/run', '/run'],
		['/var/run', '/host/run'],
		['/run/podman/podman.sock', '/x'],
		['/srv/app.sock', '/app'],
		['/srv/token', '/run/secrets/token'],
	] as const) {
		const mounts = [volume('data', '/data'), bind(hostPath, path)];
		const {names, problems} = plan([app({}, {mounts})]);
		t.deepEqual([names, problems], [['volume:/data'], []], path);
		t.regex(plan([app({volumes: path}, {mounts})]).problems[0] ?? '', /must not name the mount/);
	}

	t.deepEqual(plan([app({}, {mounts: [bind('/etc/app', '/etc/app'), bind('/srv/modules', '/lib/module')]})]).notes, []);
});

test('what an application has where a system has its own is the application’s', t => {
	for (const mount of [
		volume('media', '/usr/src/paperless/media'),
		bind('/srv/consume', '/usr/src/paperless/consume'),
		volume('pki', '/etc/pki/app'),
		bind('/run/media/me/disk/photos', '/data'),
		bind('/run/desktop/mnt/host/c/Users/me/photos', '/data'),
	]) {
		const {names, notes, problems} = plan([app({}, {mounts: [mount]})]);
		t.deepEqual([names, notes, problems], [[`volume:${mount.path}`], [], []], mount.hostPath);
	}

	t.deepEqual(plan([app({}, {mounts: [volume('data', '/data'), volume('sockets', '/run/app')]})]).names, ['volume:/data']);
});

test('what the container may only read is no source of its volumes, and may be named', t => {
	const mounts = [volume('data', '/data'), bind('/srv/media', '/media', false), volume('theirs', '/theirs', false)];
	for (const labels of [{}, {volumes: 'true'}]) {
		const {names, notes, problems} = plan([app(labels, {mounts})]);
		t.deepEqual([names, problems], [['volume:/data'], []]);
		t.deepEqual(notes, [
			'`demo/app`: the mount "/media" (bind mount of "/srv/media") is left out: it can only be read by the container',
			'`demo/app`: the mount "/theirs" (volume "theirs") is left out: it can only be read by the container',
		]);
	}

	t.deepEqual(plan([app({volumes: '/media,theirs'}, {mounts})]).names, ['volume:/media', 'volume:/theirs']);
	t.deepEqual(plan([app({sqlite: '/theirs/a.db'}, {mounts})]).names, ['sqlite:/theirs/a.db']);
	t.regex(plan([app({}, {mounts: mounts.slice(1)})]).problems[0] ?? '', /nothing to back up: its mounts are .*, read-only\)/);
});

test('mounts that show the whole host or the engine are refused', t => {
	for (const hostPath of ['/', '/var', '/var/lib', '/var/lib/docker', '/var/lib/docker/volumes/other/_data']) {
		const mounts = [volume('data', '/data'), bind(hostPath, '/host', false)];
		const writable = [volume('data', '/data'), bind(hostPath, '/host')];
		t.regex(plan([app({}, {mounts: writable})]).problems[0] ?? '', /the mount "\/host" .* shows the engine's own files/);
		t.regex(plan([app({volumes: '/host'}, {mounts})]).problems[0] ?? '', /must not name the mount "\/host"/);
		t.regex(plan([app({sqlite: '/host/etc/a.db'}, {mounts})]).problems[0] ?? '', /must not reach into the mount "\/host"/);
		const named = plan([app({volumes: 'data'}, {mounts})]);
		t.deepEqual([named.names, named.problems], [['volume:/data'], []]);
	}

	t.deepEqual(plan([app({}, {mounts: [bind('/var/lib/dockerish', '/a')]})]).problems, []);
	t.regex(plan([app({}, {mounts: [bind('/docker/x', '/a')]})], {dataRoot: '/docker'}).problems[0] ?? '', /\(\/docker\)/);
});

test("Holdfast's own storage is not a source, and Holdfast no target", t => {
	const holdfast = other('holdfast', {mounts: [volume('repository', '/repository'), bind('/var/run/docker.sock', '/var/run/docker.sock')]});
	const browser = app({}, {mounts: [volume('repository', '/repo')]});
	t.regex(plan([browser, holdfast], {self: holdfast.id}).problems[0] ?? '', /where Holdfast keeps/);
	t.deepEqual(plan([browser, holdfast]).problems, []);
	t.regex(plan([app({}, {})], {self: app().id}).problems.at(-1) ?? '', /cannot back up its own container/);
});

test("a mount that contains Holdfast's own folders is backed up without them, by whichever name they are there", t => {
	const socket = bind('/var/run/docker.sock', '/var/run/docker.sock');
	const holdfast = (...mounts: Mount[]) => other('holdfast', {mounts: [socket, ...mounts]});
	const own = holdfast(bind('/srv/app/hf [1]', '/state'), bind('/srv/app/backups', '/repository'), bind('/srv/app/ro', '/etc/x', false));
	const self = own.id;
	for (const labels of [{}, {volumes: 'true'}, {volumes: '/app'}, {volumes: '/app', exclude: '*.tmp'}] as Array<Record<string, string>>) {
		const {sources, problems, notes} = plan([app(labels, {mounts: [bind('/srv/app', '/app')]}), own], {self});
		t.deepEqual(problems, []);
		t.deepEqual(
			sources.map(source => isVolume(source) && source.exclude),
			[[...(labels.exclude === undefined ? [] : ['*.tmp']), '/backups', '/hf \\[1\\]']],
		);
		t.deepEqual(notes, [
			'`demo/app`: "/app/backups", "/app/hf [1]" are left out of "/app", and no restore touches them: they are Holdfast\'s own (its repository, state, cache or the like)',
		]);
	}

	// A link, and where it leads; a volume that is a name of a folder; what is mounted below, at a place that is known.
	const app8 = {...bind('/srv/app', '/app'), folders: [{in: '8:1', path: '/srv/app'}], inner: [{in: '8:2', path: '/'}]};
	const link = {...bind('/srv/app/link', '/repository'), folders: [{in: '8:1', path: '/srv/app/real'}]};
	const named = {...volume('hf', '/state'), folders: [{in: 'host', path: '/srv/app/state'}]};
	const disk = {...bind('/srv/app/disk/hf', '/cache'), folders: [{in: '8:2', path: '/hf'}]};
	const withMounts = (container: Container, ...mounts: Mount[]): Container => ({...container, mounts});
	const places = (...mounts: Mount[]) => {
		const {sources, problems} = plan([withMounts(app(), app8), withMounts(own, ...mounts)], {self});
		return problems[0] ?? sources.flatMap(source => (isVolume(source) ? source.exclude : []));
	};

	t.deepEqual(places(link, named, disk), ['/disk/hf', '/link', '/real', '/state']);
	t.deepEqual(places(bind('/srv/app/a', '/a'), bind('/srv/app/a/b', '/b')), ['/a'], 'what is in another of them is with that');
	const unknown = {...bind('/mnt/disk/hf', '/cache'), folders: [{in: '8:2', path: '/hf'}]};
	t.regex(String(places(unknown)), /is where Holdfast keeps/, 'it is seen below, nobody knows where');
	for (const whole of ['/srv/app', '/srv', '/']) {
		t.regex(String(places(bind(whole, '/repository'))), /is where Holdfast keeps/, whole);
	}

	const {names, problems} = plan(
		[app({sqlite: '/app/hf/state/holdfast.db'}, {mounts: [bind('/srv/app', '/app')]}), holdfast(bind('/srv/app/hf', '/x'))],
		{self},
	);
	t.deepEqual(names, []);
	t.regex(problems[0] ?? '', /must not reach into "\/app\/hf": it is Holdfast's own/);
});

test('an objection to files does not keep a dump from being made: they are absent', t => {
	const holdfast = other('holdfast', {mounts: [volume('repository', '/repository')]});
	const mounts = [volume('repository', '/repo'), bind('/', '/host')];
	for (const [volumes, absent] of [
		['true', ['volume:/repo', 'volume:/host']],
		['/host', ['volume:/host']],
		['repository', ['volume:/repo']],
	] as const) {
		const labels = {postgres: 'app', volumes};
		const found = plan([app(labels, {mounts}), holdfast], {self: holdfast.id});
		t.deepEqual([found.names, found.problems], [['postgres:app'], []], volumes);
		t.deepEqual(
			found.absent.map(({source}) => source),
			[...absent],
		);
		t.regex(found.notes.join(), /`volume:\/(repo|host)` is left out: /);
		t.regex(found.absent[0]?.hint ?? '', /`holdfast\.volumes`/);
		const alone = plan([app({volumes}, {mounts}), holdfast], {self: holdfast.id});
		t.is(alone.problems.length, absent.length);
		t.regex(alone.hints[0] ?? '', /`holdfast\.volumes`/);
	}

	const group = plan(
		[
			app({group: 'g', postgres: 'app'}, {mounts: []}),
			service('files', {labels: {group: 'g'}, mounts: [volume('repository', '/repo')]}),
			holdfast,
		],
		{self: holdfast.id},
	);
	t.deepEqual([group.names, group.problems, group.absent.map(({source}) => source)], [['app/postgres:app'], [], ['files/volume:/repo']]);
});

test('exclude patterns go to every volume of their service only', t => {
	const {sources} = plan([
		app({group: 'g', exclude: 'cache,*.tmp', volumes: 'true'}, {mounts: [volume('a', '/a'), volume('b', '/b')]}),
		service('web', {labels: {group: 'g'}, mounts: [volume('c', '/c')]}),
	]);
	t.deepEqual(
		sources.map(source => [source.name, isVolume(source) && source.exclude]),
		[
			['app/volume:/a', ['cache', '*.tmp']],
			['app/volume:/b', ['cache', '*.tmp']],
			['web/volume:/c', []],
		],
	);
	t.regex(plan([app({exclude: 'x', tar: '/etc'})]).notes[0] ?? '', /`holdfast\.exclude` leaves nothing out/);
});

test('a pattern of `exclude` that is a path in the container is told what it leaves out', t => {
	const notes = (exclude: string) => plan([app({exclude})]).notes;
	t.deepEqual(notes('/data/cache, *.tmp'), [
		'`demo/app`: `holdfast.exclude`: patterns begin at the root of the mount, so "/data/cache" leaves out "/data/data/cache"; if "/data/cache" itself is meant, write `cache`',
	]);
	t.is(notes('/data').length, 1);
	t.deepEqual(notes('/cache, data/cache, /database'), []);
});

test('a mount of the host’s root that may only be read, as monitors have it, keeps nothing else from being backed up', t => {
	const mounts = (readWrite: boolean) => [volume('data', '/data'), {...bind('/', '/rootfs'), readWrite}];
	const reading = plan([app({}, {mounts: mounts(false)})]);
	t.deepEqual([reading.names, reading.problems], [['volume:/data'], []]);
	t.regex(reading.notes.join(), /the mount "\/rootfs" .* is left out: it can only be read by the container/);
	t.regex(plan([app({}, {mounts: mounts(true)})]).problems.join(), /shows the engine's own files/);
	t.regex(plan([app({volumes: '/rootfs'}, {mounts: mounts(false)})]).problems.join(), /must not name the mount "\/rootfs"/);
});

test('a pattern of `exclude` that leaves out everything is a mistake; where no files are wanted it leaves nothing out', t => {
	for (const exclude of ['*', '/*', '**', '/**', '**/*', '*/**', '*.log, *']) {
		const {problems} = plan([app({exclude, volumes: 'true'})]);
		t.regex(problems.join(), /^`demo\/app`: `holdfast\.exclude` must leave something to back up, got "[/*]+"/, exclude);
	}

	for (const exclude of ['*/*', '*.*', '[!x]*', '\\*', 'a*/**', '?']) {
		t.deepEqual(plan([app({exclude, volumes: 'true'})]).problems, [], exclude);
	}

	t.deepEqual(plan([app({exclude: '*', tar: '/etc'})]).problems, []);
});

test('a pattern of `exclude` with a space in it is told how it is read', t => {
	const notes = (exclude: string) => plan([app({exclude})]).notes;
	t.deepEqual(notes('cache logs, *.tmp'), [
		'`demo/app`: `holdfast.exclude`: "cache logs" is one name with a space in it; several are separated by commas: `cache,logs`',
	]);
	t.deepEqual(notes('cache, my\\\\ files'), []);
});

test('storage that is mounted twice is backed up once', t => {
	const {names, notes} = plan([
		app({group: 'g'}, {mounts: [volume('data', '/data'), volume('data', '/again')]}),
		service('web', {labels: {group: 'g'}, mounts: [volume('data', '/web'), bind('/srv', '/srv')]}),
	]);
	t.deepEqual(names, ['app/volume:/again', 'web/volume:/srv']);
	t.deepEqual(notes, [
		'"app/volume:/data" is the same storage as "app/volume:/again", and is backed up once',
		'"web/volume:/web" is the same storage as "app/volume:/again", and is backed up once',
	]);
});

// SQLite

test('databases that were found are sources, and no volume takes them', t => {
	const files = (found: FoundFiles['found'], more: Partial<FoundFiles> = {}) => ({
		files: new Map([['demo-app-1', {found, isCut: false, unreadable: [], ...more}]]),
	});
	const [a, b, secret] = [
		{path: '/data/x/b.db', isDatabase: true},
		{path: '/data/*.db', isDatabase: true},
		{path: '/data/secret.db', isDatabase: false},
	] as const;
	t.deepEqual(plan([app({sqlite: '/data/**/*.db, /data/x/b.db'})], files([a, b])).names, ['sqlite:/data/x/b.db', 'sqlite:/data/*.db']);
	const all = plan([app({sqlite: 'true', volumes: 'true'})], files([a, b]));
	t.deepEqual(all.names, ['sqlite:/data/*.db', 'sqlite:/data/x/b.db', 'volume:/data']);
	t.true(all.sources.some(source => isVolume(source) && source.exclude.includes('/\\*.db-wal') && source.exclude.includes('/x/b.db')));
	t.deepEqual(plan([app({sqlite: '/data/*.db'})], files([secret])).names, ['sqlite:/data/secret.db'], 'it fails, and says why');
	const beside = plan([app({sqlite: '/data/*.db', volumes: 'true'})], files([secret]));
	t.deepEqual(beside.names, ['volume:/data']);
	t.true(beside.notes.some(note => /"\/data\/secret\.db" is named by `holdfast\.sqlite` and is not readable as SQLite/.test(note)));
	t.false(beside.sources.some(source => isVolume(source) && source.exclude.includes('/secret.db')));
	t.regex(plan([app({sqlite: '/data/*.db'})], files([])).problems.join(), /finds no SQLite database: "\/data\/\*\.db"/);
	t.regex(plan([app({sqlite: 'true'})], files([a], {isCut: true})).problems.join(), /names more than 50 databases/);
	t.regex(plan([app({sqlite: 'true'})], files([a], {unreadable: ['/data/\uFFFD']})).problems.join(), /reaches what cannot be read/);
});

test('who names databases alone is told that the files beside them are left out', t => {
	const told = (labels: Record<string, string>) => plan([app(labels)]).notes.filter(note => note.includes('none of its other files'));
	t.deepEqual(told({sqlite: '/data/a.db, /data/b.db'}), [
		'`demo/app`: of the mount "/data" only SQLite databases are backed up, and none of its other files: `holdfast.volumes=/data` takes them, too (`false`: it is meant so)',
	]);
	for (const volumes of ['true', 'false', '/data']) {
		t.deepEqual(told({sqlite: '/data/a.db', volumes}), [], volumes);
	}
});

test('a SQLite file lies in the innermost mount, at the boundary of a path', t => {
	const mounts = [volume('outer', '/data'), volume('inner', '/data/db'), volume('beside', '/dat')];
	const mountOf = (path: string) => {
		const [source] = plan([app({sqlite: path}, {mounts})]).sources;
		return source?.mount?.volume;
	};

	t.is(mountOf('/data/a.db'), 'outer');
	t.is(mountOf('/data/db/a.db'), 'inner');
	t.is(mountOf('/data/dbx/a.db'), 'outer');
	t.is(mountOf('/dat/a.db'), 'beside');
	t.is(mountOf('/data1/a.db'), undefined);
});

test('a SQLite file outside every mount is a problem', t => {
	t.deepEqual(plan([app({sqlite: '/database/a.db'})]).problems, [
		'`demo/app`: `holdfast.sqlite` must name files in a mount, and "/database/a.db" is outside every mount: its mounts are "/data" (volume "data")',
	]);
	t.regex(plan([app({sqlite: '/a.db'}, {mounts: []})]).problems[0] ?? '', /it has no mounts/);
	t.regex(plan([app({sqlite: '/a.db'}, {mounts: [bind('/srv/a.db', '/a.db')]})]).problems[0] ?? '', /mounted by itself/);
});

test('a path that a label names, and that is not there, is missing in the point beside others; alone it is a problem', t => {
	const amiss = {path: '/data/b.db', why: 'does not exist', hint: 'correct it'};
	const files = new Map([['demo-app-1', {found: [], isCut: false, unreadable: [], amiss: [amiss]}]]);
	const why = '`holdfast.sqlite` names "/data/b.db", which does not exist';
	const beside = plan([app({sqlite: '/data/a.db,/data/b.db', volumes: 'false'})], {files});
	t.deepEqual(beside.names, ['sqlite:/data/a.db']);
	t.deepEqual(beside.absent, [{source: 'sqlite:/data/b.db', why, hint: 'correct it'}]);
	t.deepEqual(beside.notes, [`\`sqlite:/data/b.db\` is left out: ${why}`]);
	t.deepEqual(beside.problems, []);
	const amongFiles = plan([app({sqlite: '/data/b.db', volumes: 'true'})], {files});
	t.deepEqual(
		[amongFiles.names, amongFiles.absent.map(({source}) => source), amongFiles.problems],
		[['volume:/data'], ['sqlite:/data/b.db'], []],
	);
	t.deepEqual(
		amongFiles.sources.flatMap(source => (isVolume(source) ? source.exclude : [])),
		[],
		'a folder in its place is taken with them',
	);
	const alone = plan([app({sqlite: '/data/b.db'})], {files});
	t.deepEqual([alone.problems, alone.hints, alone.names], [[`\`demo/app\`: ${why}`], ['correct it'], []]);

	const tar = (paths: string) =>
		plan([app({tar: paths, volumes: 'false'})], {
			answers: new Map([
				['demo-app-1', {tar: {real: new Map(), mountPoints: [], amiss: [{path: '/srv/gone', why: 'does not exist', hint: 'correct it'}]}}],
			]),
		});
	t.deepEqual(tar('/srv/app,/srv/gone').absent, [
		{source: 'tar:/srv/gone', why: '`holdfast.tar` names "/srv/gone", which does not exist', hint: 'correct it'},
	]);
	t.deepEqual(tar('/srv/gone').problems, ['`demo/app`: `holdfast.tar` names "/srv/gone", which does not exist']);
});

test('SQLite files are left out of every volume that shows them', t => {
	const excludes = (containers: Container[]) =>
		Object.fromEntries(plan(containers).sources.flatMap(source => (isVolume(source) ? [[source.name, source.exclude]] : [])));
	const files = (path: string) => [path, `${path}-wal`, `${path}-shm`, `${path}-journal`];
	t.deepEqual(excludes([app({sqlite: '/data/x/a.db', volumes: 'true', exclude: 'cache'})]), {
		'volume:/data': ['cache', ...files('/x/a.db')],
	});
	t.deepEqual(excludes([app({sqlite: '["/data/\\\\[a]\\\\*\\\\?\\\\\\\\.db"]', volumes: 'true'})]), {
		'volume:/data': files('/\\[a\\]\\*\\?\\\\.db'),
	});
	t.deepEqual(
		excludes([app({sqlite: '/data/in/a.db', volumes: 'true'}, {mounts: [volume('data', '/data'), volume('inner', '/data/in')]})]),
		{'volume:/data': [], 'volume:/data/in': files('/a.db')},
	);
	t.deepEqual(
		excludes([
			app({group: 'g', sqlite: '/db/a.db'}, {mounts: [bind('/srv/app/db', '/db')]}),
			service('web', {labels: {group: 'g'}, mounts: [bind('/srv/app', '/files'), bind('/srv/application', '/more')]}),
		]),
		{'web/volume:/files': files('/db/a.db'), 'web/volume:/more': []},
	);
	t.deepEqual(
		excludes([
			app({group: 'g', sqlite: '/db/a.db'}, {mounts: [volume('data', '/db')]}),
			service('web', {labels: {group: 'g'}, mounts: [volume('data', '/files')]}),
		]),
		{'web/volume:/files': files('/a.db')},
	);
});

// tar

test('several replicas: which of them hooks and paths are about is said', t => {
	const labels = {tar: '/etc/app', before: 'app flush'};
	const {notes} = plan([app(labels), app(labels, {number: 2})]);
	t.deepEqual(
		notes.filter(note => note.includes('of its 2 replicas')),
		[
			'`demo/app`: of its 2 replicas, container `demo-app-1` is backed up',
			'of its 2 replicas, the hook `before` is run in container `demo-app-1` alone',
		],
	);
});

test('whose mounts the engine does not tell is not run', t => {
	const [target] = discoverTargets([{...app(), isUnanswered: true}]);
	t.regex(target?.problems[0]?.message ?? '', /the engine does not answer for container `demo-app-1`/);
});

test('who writes to the same folder under another name stands still, too', t => {
	const bound = {...volume('bound', '/data'), folders: [{in: 'host', path: '/srv/data'}]};
	const [target] = [service('app', {mounts: []})].map(one => ({...one, mounts: [bound]}));
	const {still} = plan([
		target as Container,
		other('worker', {mounts: [bind('/srv/data', '/data')]}),
		other('reader', {mounts: [bind('/srv/data', '/data', false)]}),
	]);
	t.deepEqual(still, ['demo-app-1 pause', 'demo-worker-1 pause']);
});

test("a volume that is nothing but a name of the host's own folders is treated as they are", t => {
	const bound = {...volume('bound', '/data'), folders: [{in: 'host', path: '/lib/modules'}]};
	const {names, notes} = plan([{...service('app'), mounts: [bound, volume('good', '/good')]}]);
	t.deepEqual(names, ['volume:/good']);
	t.regex(notes[0] ?? '', /is of the system/);
});

test('a tar path is on the own file system of the container', t => {
	t.deepEqual(plan([app({tar: '/etc/app,/datas'})]).names, ['tar:/etc/app', 'tar:/datas']);
	const inside = plan([app({tar: '/data/x'})]);
	t.regex(inside.problems[0] ?? '', /"\/data\/x" is in the mount "\/data" \(volume "data"\)/);
	t.deepEqual(inside.hints, ['use `holdfast.volumes`']);
	for (const path of ['/proc', '/sys/x', '/dev/sda']) {
		t.regex(plan([app({tar: path})]).problems[0] ?? '', /of the kernel's/);
	}
});

// Postgres

const database = (labels: Record<string, string> = {}, sketch: Sketch = {}) =>
	service('db', {labels: {postgres: 'true', ...labels}, mounts: [volume('pgdata', '/var/lib/postgresql/data')], ...sketch});

const asked = (...names: string[]) => ({databases: new Map([['demo-db-1', names]])});

test('all databases, as the server says', t => {
	const {sources, problems, still, notes} = plan([database()], asked('metadb', 'a"b; drop', '--help'));
	t.deepEqual(
		sources.map(({name}) => name),
		['postgres:metadb', 'postgres:a"b; drop', 'postgres:--help'],
	);
	t.deepEqual([problems, still, notes], [[], [], []]);
	t.like(sources[1], {kind: 'postgres', database: 'a"b; drop', format: 'custom', user: undefined});
	t.like(plan([database({'postgres.user': 'ada', 'postgres.format': 'plain'})], asked('a')).sources[0], {format: 'plain', user: 'ada'});
});

test('named databases must exist where the server was asked', t => {
	t.deepEqual(plan([database({postgres: 'a,b'})]).names, ['postgres:a', 'postgres:b']);
	const {problems, hints} = plan([database({postgres: 'a,b'})], asked('a', 'c'));
	t.deepEqual(problems, ['`demo/db`: `holdfast.postgres` must name databases of the server that allow connections, got "b"']);
	t.deepEqual(hints, ['the server in container `demo-db-1` has "a", "c"']);
});

test('a server that says nothing, or has nothing, is a problem', t => {
	t.regex(plan([database()]).problems.join(), /did not say which databases it has/);
	t.regex(plan([database()], asked()).problems.join(), /no database that allows connections/);
});

test('a server outside the container: its application may stand still, and need not run', t => {
	const labels = {postgres: 'shop', 'postgres.host': 'db.example', 'postgres.password-secret': 'db'};
	const container = 'demo-app-1';
	const known = {databases: new Map([[container, ['shop', 'other']]])};
	const {sources, problems, notes, still} = plan([app(labels, {state: 'exited'})], known);
	t.deepEqual([problems, still], [[], []]);
	t.like(sources[0], {name: 'postgres:shop', external: {host: 'db.example', port: 5432, secret: 'db', project: 'demo'}});
	t.deepEqual(notes, ['`demo/app`: no rehearsal is scheduled: `holdfast.drill.image` names no image that a server could be made of']);
	t.deepEqual(plan([app({...labels, 'drill.image': 'postgres:17', quiesce: 'stop'})], known).still, [`${container} stop`]);
	t.deepEqual(plan([app(labels)], {...known, cold: true}).still, [`${container} stop`]);
	t.regex(plan([app({...labels, postgres: 'gone'})], known).hints.join(), /the server at `db\.example:5432` has "shop", "other"/);
	t.like(plan([app({postgres: 'shop', 'postgres.host': '[::1]', 'postgres.port': '5433'})]).sources[0], {
		external: {host: '::1', port: 5433},
	});
	t.like(plan([database({postgres: 'shop', 'postgres.port': '5433', 'postgres.password-secret': 'boss'})]).sources[0], {
		inside: {port: 5433, secret: 'boss', project: 'demo'},
		external: undefined,
	});
});

test('a database that nobody can use is told, and one that lets the role have too few sessions is a problem where it is dumped', t => {
	const interrupted = plan([database()], {...asked('a'), odd: {invalid: ['half']}});
	t.deepEqual([interrupted.problems, interrupted.sources.map(({name}) => name)], [[], ['postgres:a']]);
	t.regex(interrupted.notes.join(), /database "half" .* is what an interrupted `drop database` has left/);
	const moulded = {...asked('a'), odd: {templates: ['mould']}};
	const all = plan([database()], moulded);
	t.deepEqual(
		all.sources.map(({name}) => name),
		['postgres:a'],
	);
	t.regex(all.notes.join(), /database "mould" .* is a template, which `holdfast\.postgres` `true` leaves out: name it to take it/);
	const named = plan([database({postgres: 'mould'})], moulded);
	t.deepEqual([named.problems, named.sources.map(({name}) => name)], [[], ['postgres:mould']]);
	const narrow = {...asked('a', 'b'), odd: {narrow: {a: 1}}};
	t.regex(plan([database()], narrow).problems.join(), /database "a" .* has a connection limit of 1, and its dump needs two sessions/);
	t.deepEqual(plan([database({postgres: 'b'})], narrow).problems, []);
});

test('a dump of the whole server lacks nothing that nobody said', t => {
	const closed = (...names: string[]) => ({closedDatabases: new Map([['demo-db-1', names]])});
	const whole = {'postgres.format': 'all'};
	const {sources, problems, notes} = plan([database(whole)], {...asked('postgres', 'a'), ...closed('a_before_20261121t031502-x7k2q9d')});
	t.deepEqual(
		[problems, sources.map(({name}) => name), notes],
		[
			[],
			['postgres:postgres', 'postgres:a'],
			['`demo/db`: the whole server in container `demo-db-1`: its roles, and every database but the templates'],
		],
	);
	t.like(sources[0], {format: 'all'});
	t.deepEqual(plan([database(whole)], {...asked('a'), ...closed('vault')}).problems, [
		'`demo/db`: database "vault" of the server in container `demo-db-1` allows no connections, so a dump of the whole server would lack it',
	]);
	t.deepEqual(plan([database()], {...asked('a'), ...closed('vault')}).problems, []);
	const left = plan([database({...whole, 'postgres.exclude': 'vault,a'})], {...asked('a', 'b'), ...closed('vault')});
	t.deepEqual([left.problems, left.names], [[], ['postgres:b']]);
	t.regex(plan([database({...whole, postgres: 'a'})], asked('a')).problems.join(), /`holdfast\.postgres` must be `true`, got "a"/);
	t.regex(
		plan([database({postgres: 'a', 'postgres.exclude': 'b'})], asked('a')).problems.join(),
		/is for `holdfast\.postgres` `true`, got "b"/,
	);
});

test('a server that was stopped, or that somebody paused, is left out; one that does not come up is a problem', t => {
	for (const state of ['exited', 'created', 'dead', 'paused'] as const) {
		const {problems, names, absent} = plan([database({}, {state})], asked('a'));
		t.deepEqual([problems, names], [[], []]);
		t.is(absent.length, 1);
		t.like(absent[0], {
			source: 'postgres',
			why: `container \`demo-db-1\`, which has to answer, ${state === 'paused' ? 'is paused by somebody else' : `is not running (${state})`}`,
			hint: state === 'paused' ? 'docker unpause demo-db-1' : 'docker start demo-db-1',
		});
	}

	t.deepEqual(
		plan([database({postgres: 'a,b'}, {state: 'exited'})]).absent.map(({source}) => source),
		['postgres:a', 'postgres:b'],
	);
	const restarting = plan([database({}, {state: 'restarting'})], asked('a'));
	t.regex(restarting.problems[0] ?? '', /does not come up \(restarting\)/);
	t.deepEqual(restarting.absent, []);
});

test('a data directory that is dumped is never a volume', t => {
	const withVolumes = (path: string, more: Options = {}, volumes = 'true') =>
		plan([database({volumes}, {mounts: [volume('pg', path), volume('x', '/x')]})], {...asked('a'), ...more});
	for (const path of [
		'/var/lib/postgresql',
		'/var/lib/postgresql/data',
		'/var/lib/postgresql/17/main',
		'/var/lib/postgresql/data/pg_wal',
	]) {
		const {names, notes} = withVolumes(path);
		t.deepEqual(names, ['postgres:a', 'volume:/x']);
		t.regex(notes[0] ?? '', /is left out: it holds the data directory of a Postgres server that is dumped/);
		t.regex(withVolumes(path, {}, path).problems[0] ?? '', /must not name the mount .* it holds the data directory/);
	}

	const elsewhere = {dataDirectories: new Map([['demo-db-1', ['/pg/17/data']]])};
	t.deepEqual(withVolumes('/pg/17/data', elsewhere).names, ['postgres:a', 'volume:/x']);
	t.deepEqual(withVolumes('/pg/17/data/base', elsewhere).names, ['postgres:a', 'volume:/x']);
	const above = withVolumes('/pg', elsewhere);
	t.deepEqual(above.names, ['postgres:a', 'volume:/pg', 'volume:/x']);
	t.like(above.sources[1], {exclude: ['/17/data']});
	t.regex(above.notes[0] ?? '', /"\/pg\/17\/data" is left out of "\/pg"/);
	t.deepEqual(plan([database({postgres: 'false', volumes: 'true'})]).names, ['volume:/var/lib/postgresql/data'], 'only where it is dumped');
});

test("WAL and tablespaces are the server's own as well; what lies beside them where images keep their clusters is not", t => {
	const asServerSays = {...asked('a'), dataDirectories: new Map([['demo-db-1', ['/var/lib/postgresql/data', '/wal', '/spaces/fast']]])};
	const mounts = ['/var/lib/postgresql/data', '/var/lib/postgresql/archive', '/wal', '/spaces/fast', '/spaces'].map((path, index) =>
		volume(`v${index}`, path),
	);
	t.deepEqual(plan([database({volumes: 'true'}, {mounts})], asServerSays).names, [
		'postgres:a',
		'volume:/spaces',
		'volume:/var/lib/postgresql/archive',
	]);
	t.deepEqual(plan([database({volumes: '/var/lib/postgresql/archive'}, {mounts})], asServerSays).problems, []);
	t.regex(plan([database({volumes: '/wal'}, {mounts})], asServerSays).problems.join(), /must not name the mount "\/wal"/);
	const above = plan([database({volumes: 'true'}, {mounts: [volume('s', '/spaces')]})], asServerSays);
	t.like(above.sources[1], {exclude: ['/fast']});
	t.regex(above.notes.join(), /"\/spaces\/fast" is left out of "\/spaces": it is the WAL or a tablespace/);
});

test('nor is it through another service of the group', t => {
	const {names, notes} = plan(
		[database({group: 'g'}), service('tool', {labels: {group: 'g'}, mounts: [volume('pgdata', '/pg', false), volume('x', '/x')]})],
		asked('a'),
	);
	t.deepEqual(names, ['db/postgres:a', 'tool/volume:/x']);
	t.regex(notes[0] ?? '', /`demo\/tool`: the mount "\/pg" .* holds the data directory/);
});

// Quiesce

test('the mode: label, default, and none for dumps', t => {
	t.deepEqual(plan([app({quiesce: 'stop'})]).still, ['demo-app-1 stop']);
	t.deepEqual(plan([app({tar: '/etc'})]).still, ['demo-app-1 pause']);
	t.deepEqual(plan([app()], {defaults: {schedule: '', quiesce: 'stop'}}).still, ['demo-app-1 stop']);
	t.deepEqual(plan([app({sqlite: '/data/a.db'})], {defaults: {schedule: '', quiesce: 'stop'}}).still, []);
	t.deepEqual(plan([app({sqlite: '/data/a.db', quiesce: 'pause'})]).still, ['demo-app-1 pause']);
	const none = plan([app({quiesce: 'none'}), other('web', {mounts: [volume('data', '/d')]})]);
	t.deepEqual(none.still, []);
	t.regex(none.notes[0] ?? '', /may be of different moments/);
	const server = plan([database({quiesce: 'pause'})], asked('a'));
	t.deepEqual(server.still, []);
	t.regex(server.notes[0] ?? '', /must answer while it is dumped/);
	t.is(plan([app({'quiesce.timeout': '30s'})]).quiesceTimeoutMs, 30_000);
});

test('for a snapshot it stands still as well, and the plan says where there can be none', t => {
	const still = plan([app({quiesce: 'snapshot'}), other('web', {mounts: [volume('data', '/d')]})]);
	t.deepEqual(still.still.toSorted(), ['demo-app-1 pause', 'demo-web-1 pause']);
	t.deepEqual(still.snapshots, ['demo-app-1']);
	t.regex(still.notes.join('\n'), /needs a folder of its file system at \/snapshots in Holdfast's container/);
	const agent = other('holdfast', {mounts: [bind('/srv/snapshots', '/snapshots')]});
	const given = plan([app({quiesce: 'snapshot'}), agent], {self: agent.id});
	t.deepEqual(given.snapshots, ['demo-app-1']);
	t.regex(given.notes.join('\n'), /until its file system has made a snapshot/);
	for (const containers of [
		[app({quiesce: 'pause'})],
		[app({sqlite: '/data/a.db', quiesce: 'snapshot'})],
		[database({quiesce: 'snapshot'})],
	]) {
		t.deepEqual(plan(containers, asked('a')).snapshots, []);
	}

	const cold = plan([app({quiesce: 'snapshot'})], {cold: true});
	t.deepEqual([cold.still, cold.snapshots], [['demo-app-1 stop'], []]);
});

test('in a group only those with files are quiesced, each in its own way', t => {
	const {still, notes} = plan(
		[
			database({group: 'g'}),
			app({group: 'g', quiesce: 'stop'}),
			service('web', {labels: {group: 'g'}, mounts: [volume('w', '/w')]}),
			service('lite', {labels: {group: 'g', sqlite: '/l/a.db', volumes: 'false'}, mounts: [volume('l', '/l')]}),
		],
		asked('a'),
	);
	t.deepEqual(still, ['demo-app-1 stop', 'demo-web-1 pause']);
	t.deepEqual(notes, []);
});

test('all replicas are quiesced, one is backed up', t => {
	const {still, names, notes} = plan([app(), app({}, {number: 2}), app({}, {number: 3, state: 'exited'})]);
	t.deepEqual(names, ['volume:/data']);
	t.deepEqual(still, ['demo-app-1 pause', 'demo-app-2 pause']);
	t.deepEqual(notes, [
		'`demo/app`: of its 3 replicas, container `demo-app-1` is backed up',
		'container `demo-app-3` is not running (exited), and stays so',
	]);
});

test('quiesce.with reaches services of the same project, and no further', t => {
	const containers = [
		app({'quiesce.with': 'web,cache', quiesce: 'stop'}),
		other('web'),
		other('web', {number: 2}),
		other('web', {number: 3, oneOff: true}),
		other('cache', {state: 'exited'}),
		other('cache', {project: 'second'}),
		other('unnamed'),
	];
	const {still, problems, quiesce, notes} = plan(containers);
	t.deepEqual(still, ['demo-app-1 stop', 'demo-web-1 stop', 'demo-web-2 stop']);
	t.deepEqual(problems, []);
	t.is(quiesce[1]?.reason, 'holdfast.quiesce.with');
	t.deepEqual(notes, ['container `demo-cache-1` is not running (exited), and stays so']);
	t.deepEqual(plan([app({'quiesce.with': 'cache'}), other('cache', {project: 'second'})]).problems, [
		'`demo/app`: `holdfast.quiesce.with` must name services of the same project, got "cache": project `demo` has no such service',
	]);
	t.regex(
		plan([lone('a', {labels: {'quiesce.with': 'web'}, mounts: [volume('d', '/d')]}), other('web')]).problems[0] ?? '',
		/outside Compose has none/,
	);
	t.regex(
		plan([app({'restore.stop': 'nobody'})]).problems[0] ?? '',
		/`holdfast\.restore\.stop` must name services of the same project, got "nobody"/,
	);
});

test('quiesce.with of a server that is dumped quiesces the others, not the server', t => {
	t.deepEqual(plan([database({'quiesce.with': 'web'}), other('web')], asked('a')).still, ['demo-web-1 pause']);
	t.deepEqual(plan([database({'quiesce.with': 'web', quiesce: 'stop'}), other('web')], asked('a')).still, ['demo-web-1 stop']);
	t.regex(
		plan([database({'quiesce.with': 'web', quiesce: 'none'}), other('web')], asked('a')).problems[0] ?? '',
		/cannot be together with/,
	);
});

test('whoever writes the same storage is quiesced too, within the project', t => {
	const sharer = (theirs: Mount, sketch: Sketch = {}) =>
		plan([app({}, {mounts: [volume('data', '/data'), bind('/srv/app', '/srv')]}), other('web', {mounts: [theirs], ...sketch})]);
	const both = ['demo-app-1 pause', 'demo-web-1 pause'];
	t.deepEqual(sharer(volume('data', '/elsewhere')).still, both);
	t.is(sharer(volume('data', '/elsewhere')).quiesce[1]?.reason, 'mounts the volume "data" read-write');
	t.deepEqual(sharer(bind('/srv/app', '/x')).still, both);
	t.deepEqual(sharer(bind('/srv/app/uploads', '/x')).still, both);
	t.deepEqual(sharer(bind('/srv', '/x')).still, both);
	t.deepEqual(sharer(volume('data', '/x'), {oneOff: true}).still, both, 'also those of docker compose run');
	for (const theirs of [
		volume('data', '/x', false),
		volume('database', '/x'),
		bind('/srv/application', '/x'),
		bind('/srv/app', '/x', false),
		bind('/data', '/data'),
	]) {
		t.deepEqual(sharer(theirs).still, ['demo-app-1 pause'], JSON.stringify(theirs));
	}

	for (const state of ['exited', 'paused', 'created', 'restarting'] as const) {
		t.deepEqual(sharer(volume('data', '/x'), {state}).still, ['demo-app-1 pause']);
	}
});

test('a label reaches no further than its own project', t => {
	const shared = [volume('data', '/x')];
	const {still, notes} = plan([app(), other('web', {project: 'second', mounts: shared}), lone('plain', {mounts: shared, target: false})]);
	t.deepEqual(still, ['demo-app-1 pause']);
	t.deepEqual(notes, [
		'container `second-web-1` of project `second` also writes to the volume "data"; it is not quiesced',
		'container `plain` outside Compose also writes to the volume "data"; it is not quiesced',
	]);
	t.deepEqual(plan([lone('a', {mounts: shared}), lone('plain', {mounts: shared, target: false})]).still, ['a pause']);
});

test('Holdfast and its workers are never quiesced', t => {
	const shared = [volume('data', '/x')];
	const worker = other('worker', {mounts: shared, rawLabels: {'holdfast.worker': '01J'}});
	t.deepEqual(plan([app(), worker]).still, ['demo-app-1 pause']);
	t.deepEqual(plan([app(), worker]).notes, []);
	const named = plan([app({'quiesce.with': 'holdfast,worker'}), other('holdfast'), worker], {self: 'demo-holdfast-1'});
	t.deepEqual(named.still, ['demo-app-1 pause']);
	t.is(named.notes.filter(note => note.includes('is Holdfast itself')).length, 2);
});

test('who does not run, or is paused already, is left so', t => {
	for (const [state, note] of [
		['exited', 'is not running (exited), and stays so'],
		['created', 'is not running (created), and stays so'],
		['paused', 'is paused already, and stays so'],
		[
			'restarting',
			'restarts over and over, so it cannot be paused, and its files may be of different moments: `holdfast.quiesce=stop` stops it',
		],
	] as const) {
		const {still, resting, notes, names, problems} = plan([app({}, {state})]);
		t.deepEqual(
			resting.map(({container, action}) => `${container.name} ${action}`),
			['demo-app-1 pause'],
			'it must stay so in the moment',
		);
		t.deepEqual([still, notes, names, problems], [[], [`container \`demo-app-1\` ${note}`], ['volume:/data'], []]);
	}
});

test('one that restarts over and over can be stopped', t => {
	const {still, notes} = plan([app({quiesce: 'stop'}, {state: 'restarting'})]);
	t.deepEqual(still, ['demo-app-1 stop']);
	t.deepEqual(notes, ['container `demo-app-1` restarts over and over: it is stopped, and put back to that']);
});

test('a member with the mode none is not quiesced for another, and one with its own mode keeps it', t => {
	const group = (quiesce: string) => [
		app({group: 'g'}),
		service('web', {labels: {group: 'g', quiesce, tar: '/etc'}, mounts: [volume('data', '/d')]}),
	];
	const none = plan(group('none'));
	t.deepEqual(none.still, ['demo-app-1 pause']);
	t.true(none.notes.includes('container `demo-web-1` with the quiesce mode `none` also writes to the volume "data"; it is not quiesced'));
	t.deepEqual(plan(group('stop')).still, ['demo-app-1 pause', 'demo-web-1 stop']);
});

test('a server that is quiesced for another reason is pinned before, and paused at most', t => {
	const shared = plan(
		[
			database({group: 'g'}, {mounts: [volume('exchange', '/exchange')]}),
			app({group: 'g', quiesce: 'stop'}, {mounts: [volume('exchange', '/e')]}),
		],
		asked('a'),
	);
	t.deepEqual(shared.still, ['demo-app-1 stop', 'demo-db-1 pause']);
	t.deepEqual(shared.notes, [
		'what is of the moment in container `demo-db-1`, which must answer, is pinned just before it is quiesced',
		'container `demo-db-1` is paused, not stopped: a stopped server cannot be dumped afterwards',
	]);
	const own = plan([database({tar: '/etc', quiesce: 'pause'})], asked('a'));
	t.deepEqual(
		[own.still, own.notes],
		[['demo-db-1 pause'], ['what is of the moment in container `demo-db-1`, which must answer, is pinned just before it is quiesced']],
	);
});

test('who lives in the network of one that is stopped is stopped with it; where that may not be, the other is paused', t => {
	const living = (name: string, sketch = {}) => ({...other(name, sketch), livesIn: ['demo-app-1']});
	const stops = {quiesce: 'stop'};
	t.deepEqual(plan([app(stops), living('torrent')]).still, ['demo-torrent-1 stop', 'demo-app-1 stop']);
	t.deepEqual(plan([app(), living('torrent')]).still, ['demo-app-1 pause'], 'a pause keeps the network');
	const outside = plan([app(stops), living('torrent', {project: 'second'})]);
	t.deepEqual(outside.still, ['demo-app-1 pause']);
	t.deepEqual(outside.notes, [
		'container `demo-app-1` is paused, not stopped: container `second-torrent-1`, which must run on, lives in the network, PID or IPC namespace of container `demo-app-1`',
	]);
	const agent = plan([app(stops), living('holdfast')], {self: 'demo-holdfast-1'});
	t.deepEqual(agent.still, ['demo-app-1 pause']);
	const stranded = plan([{...app(stops), livesIn: ['gone']}]);
	t.deepEqual(stranded.still, ['demo-app-1 pause']);
	t.regex(stranded.notes.join(), /was replaced, so it could not be started again/);
	for (const state of ['exited', 'restarting', 'created'] as const) {
		const {still, notes} = plan([{...app(stops), livesIn: ['demo-vpn-1']}, other('vpn', {state})]);
		t.deepEqual(still, ['demo-app-1 pause'], state);
		t.regex(notes.join(), /`demo-vpn-1`, in whose .* it lives, does not run/);
	}

	t.deepEqual(plan([{...app(stops), livesIn: ['demo-vpn-1']}, other('vpn', {state: 'paused'})]).still, ['demo-app-1 stop']);
	const own = app(stops);
	const file = {type: 'bind' as const, hostPath: '/srv/app.conf', path: '/etc/app.conf', readWrite: false, isGone: true};
	const bare = plan([{...own, mounts: [...own.mounts, file]}]);
	t.deepEqual(bare.still, ['demo-app-1 pause']);
	t.regex(bare.notes.join(), /nothing any more at "\/srv\/app.conf" of the host, which it has at "\/etc\/app.conf"/);
});

test('a task of Swarm is stopped where its service can be, and paused elsewhere', t => {
	const task = (mode?: 'replicated' | 'global') => ({...app({quiesce: 'stop'}), swarm: {service: 's', name: 'demo_app', mode}});
	t.deepEqual(plan([task('replicated')]).still, ['demo-app-1 stop']);
	const everywhere = plan([task('global')]);
	t.deepEqual(everywhere.still, ['demo-app-1 pause']);
	t.regex(everywhere.notes.join(), /is paused, not stopped: the Swarm service `demo_app` is global/);
	t.regex(plan([task()]).notes.join(), /only a manager can stop that/);
});

test('who asks to be started anew with one that is stopped is stopped with it', t => {
	const needs = (restart: boolean) => other('web', {dependsOn: `app:service_started:${restart}`});
	t.deepEqual(plan([app({quiesce: 'stop'}), needs(true)]).still, ['demo-web-1 stop', 'demo-app-1 stop']);
	t.deepEqual(plan([app({quiesce: 'stop'}), needs(false)]).still, ['demo-app-1 stop']);
	t.deepEqual(plan([app(), needs(true)], {cold: true}).still, ['demo-web-1 stop', 'demo-app-1 stop']);
});

test('one that is asked for twice is quiesced once, in the stronger way', t => {
	const {still} = plan([
		app({group: 'g', 'quiesce.with': 'x'}),
		service('web', {labels: {group: 'g', quiesce: 'stop', 'quiesce.with': 'x'}, mounts: [volume('w', '/w')]}),
		other('x'),
	]);
	t.deepEqual(still, ['demo-app-1 pause', 'demo-web-1 stop', 'demo-x-1 stop']);
});

test('dependents first, also through services that are not quiesced', t => {
	const needs = (...services: string[]) => ({dependsOn: services.map(name => `${name}:service_started:true`).join(',')});
	const all = {'quiesce.with': 'a,b,c,d'};
	t.deepEqual(
		plan([
			app(all),
			other('a'),
			other('b', needs('a')),
			other('c', needs('between')),
			other('between', needs('b')),
			other('d', needs('app')),
		]).still.map(name => name.split('-')[1]),
		['c', 'b', 'a', 'd', 'app'],
	);
	t.deepEqual(
		plan([
			app(all, needs('d')),
			other('a', needs('b')),
			other('b', needs('a')),
			other('c', needs('c')),
			other('d', needs('app')),
		]).still.map(name => name.split('-')[1]),
		['c', 'a', 'b', 'app', 'd'],
		'circles are cut at the first name, after those that nobody needs',
	);
	t.deepEqual(
		plan([app(all), other('b', {project: 'second', ...needs('a')}), ...['d', 'c', 'b', 'a'].map(name => other(name))]).still.map(
			name => name.split('-')[1],
		),
		['a', 'app', 'b', 'c', 'd'],
		'another project does not count',
	);
});

// The rest

test('hooks run in the container that is backed up, if it runs', t => {
	const hooks = {before: 'sync', after: 'echo done', 'after.user': 'root'};
	t.deepEqual(
		plan([app(hooks), app(hooks, {number: 2})]).hooks.map(({when, container, hook}) => [when, container.name, hook.argv, hook.user]),
		[
			['before', 'demo-app-1', ['sync'], undefined],
			['after', 'demo-app-1', ['echo', 'done'], 'root'],
		],
	);
	const stopped = plan([app(hooks, {state: 'exited'})]);
	t.deepEqual(stopped.hooks, []);
	t.true(stopped.notes.includes('the hook `before` is not run: container `demo-app-1` is exited'));
});

test('the schedule, and where it is from', t => {
	t.like(plan([app({schedule: '@weekly'})]), {schedule: '0 0 * * 0', scheduleFrom: 'label'});
	t.like(plan([app()]), {schedule: '0 3 * * *', scheduleFrom: 'default'});
});

test('another prefix is in the messages', t => {
	const container = {...other('app'), labels: {'backup.enable': 'true', 'backup.sqlite': '/a.db', 'backup.quiesce.with': 'x'}};
	const [target] = discoverTargets([container], {prefix: 'backup.'});
	const {problems} = planTarget({
		target: target as never,
		containers: [container],
		defaults: {schedule: ''},
		prefix: 'backup.',
	});
	t.deepEqual(
		problems.map(({message}) => /`backup\.[a-z.]+`/.exec(message)?.[0]),
		['`backup.sqlite`', '`backup.quiesce.with`'],
	);
});

test('200 targets are planned in well under two seconds, and so is one whose quiesce reaches 200 that need each other', t => {
	const needs = (index: number) => (index === 0 ? '' : `s${index - 1}:service_started:true`);
	const containers = Array.from({length: 200}, (_, index) =>
		service(`s${index}`, {mounts: [volume(`v${index}`, '/data')], dependsOn: needs(index)}),
	);
	// Of the processor, whatever else it has to do
	const begun = process.threadCpuUsage();
	for (const target of discoverTargets(containers)) {
		planTarget({target, containers, defaults: {schedule: ''}});
	}

	const chain = containers.map(container => ({...container, mounts: [volume('shared', '/shared')]}));
	t.is(plan(chain).quiesce.length, 200);
	const {user, system} = process.threadCpuUsage(begun);
	t.true((user + system) / 1000 < 2000, `${(user + system) / 1000} ms`);
});

// Hostile names

const hostile = fc.oneof(
	fc.string({unit: 'binary', minLength: 1, maxLength: 12}),
	fc.constantFrom('--help', 'host=evil dbname=x', "a'b", 'a"b', '$(id)', ';', 'a\nb', '../..', 'a,b', ':', 'x/postgres:y'),
);

/** As the label has it: a path that no pattern can be seen in. */
const literal = (path: string): string => (/[*?[]/.test(path) ? path.replaceAll(/[*?[\]\\]/g, '\\$&') : path);

test('whatever databases and files are called: sources are what was named, once, and no message carries control characters', t => {
	const path = fc.array(
		hostile
			.map(part => part.replaceAll('/', '|').replaceAll('\0', '0'))
			.filter(part => part !== '.' && part !== '..' && part.isWellFormed()),
		{minLength: 1, maxLength: 3},
	);
	fc.assert(
		fc.property(fc.uniqueArray(hostile, {minLength: 1}), fc.uniqueArray(path.map(parts => parts.join('/'))), (databases, files) => {
			const sqlite = files.map(file => `/data/${file}`);
			const {sources, problems, notes} = plan(
				[app({postgres: 'true', volumes: 'true', ...(sqlite.length === 0 ? {} : {sqlite: JSON.stringify(sqlite.map(literal))})})],
				{
					databases: new Map([['demo-app-1', databases]]),
				},
			);
			t.deepEqual(problems, []);
			t.deepEqual(
				sources.flatMap(source => (isDatabase(source) ? [source.database] : [])),
				databases,
			);
			t.deepEqual(
				sources.flatMap(source => (source.kind === 'sqlite' ? [kindOf('sqlite').view(source).path] : [])),
				sqlite,
			);
			t.is(new Set(sources.map(({name}) => name)).size, sources.length);
			const [patterns] = sources.flatMap(source => (isVolume(source) ? [source.exclude] : []));
			t.is(patterns?.length, sqlite.length * 4);
			t.true(notes.every(note => !/[\u0000-\u001f]/.test(note)));
		}),
	);
});

test('what a database that rests is called is printed as it may be', t => {
	const resting = service('db', {project: 'demo', state: 'exited', target: true, labels: {postgres: '["a\\u0007"]'}});
	const [target] = discoverTargets([resting]);
	const {plan} = planTarget({target: target as Target, containers: [resting], defaults: {schedule: '0 3 * * *'}});
	t.true(plan.absent.length > 0);
	t.true(
		plan.notes.some(note => note.includes('a\\x07` is left out')),
		plan.notes.join(),
	);
});

test('whatever mounts and labels there are: no throw, nothing outside the project is touched, all sources are of the target', t => {
	const mount = fc
		.tuple(
			fc.constantFrom('/', '/srv', '/srv/a', '/var/lib/docker', '/srv/\u001b[31m'),
			fc.constantFrom('/data', '/data/in', '/x\n', '/var/lib/postgresql/data'),
			fc.constantFrom('a', 'b'),
			fc.boolean(),
			fc.boolean(),
		)
		.map(([hostPath, path, name, isVolume, readWrite]) => (isVolume ? volume(name, path, readWrite) : bind(hostPath, path, readWrite)));
	const labels = fc.dictionary(
		fc.constantFrom('group', 'postgres', 'sqlite', 'volumes', 'tar', 'exclude', 'quiesce', 'quiesce.with', 'before', 'restore.stop'),
		fc.oneof(hostile, fc.constantFrom('true', 'g', '/data', '/data/a.db', '/etc', 'pause', 'stop', 'none', 'app', 'web', 'a')),
		{maxKeys: 5},
	);
	const container = fc
		.record({
			name: fc.constantFrom('app', 'web', 'db'),
			project: fc.constantFrom('demo', 'second'),
			state: fc.constantFrom('running', 'paused', 'exited', 'restarting' as const),
			labels,
			mounts: fc.uniqueArray(mount, {selector: ({path}) => path, maxLength: 3}),
			target: fc.boolean(),
			number: fc.integer({min: 1, max: 3}),
			dependsOn: fc.constantFrom('', 'app:x:true', 'web:x:true,db:y:false'),
		})
		.map(({name, ...sketch}) => service(name, sketch as Sketch));
	fc.assert(
		fc.property(fc.uniqueArray(container, {selector: ({id}) => id, maxLength: 8}), containers => {
			for (const target of discoverTargets(containers)) {
				const {plan, problems} = planTarget({target, containers, defaults: {schedule: '0 3 * * *'}});
				const members = target.members.map(one => one.container.id);
				t.true(plan.quiesce.every(({container}) => container.project === target.project));
				t.true(plan.quiesce.every(({container: {state}, action}) => state === 'running' || (state === 'restarting' && action === 'stop')));
				t.is(new Set(plan.quiesce.map(({container}) => container.id)).size, plan.quiesce.length);
				t.true(plan.sources.every(({container}) => members.includes(container.id)));
				t.true([...plan.notes, ...problems.map(({message}) => message)].every(message => !/[\u0000-\u001f]/.test(message)));
				t.true(
					plan.sources.length > 0 || plan.absent.length > 0 || problems.length > 0 || target.problems.length > 0,
					'nothing to do is never silent',
				);
				for (const source of plan.sources) {
					t.false(source.mount?.type === 'bind' && ['/', '/var/lib/docker'].includes(source.mount.hostPath));
				}
			}
		}),
		{numRuns: 500},
	);
});

// Cold

test('for a cold backup whoever has files is stopped, whatever the labels say', t => {
	for (const quiesce of ['none', 'pause', 'stop']) {
		t.deepEqual(plan([app({quiesce})], {cold: true}).still, ['demo-app-1 stop'], quiesce);
	}

	t.deepEqual(plan([app({sqlite: '/data/a.db'})], {cold: true}).still, ['demo-app-1 stop']);
	const sharing = [app({'quiesce.with': 'cron'}), other('cron'), other('writer', {mounts: [volume('data', '/x')]})];
	t.deepEqual(plan(sharing, {cold: true}).still.toSorted(), ['demo-app-1 stop', 'demo-cron-1 stop', 'demo-writer-1 stop']);
});

test('a server that is dumped is never stopped, also for a cold backup', t => {
	const db = service('db', {labels: {postgres: 'a'}});
	t.deepEqual(plan([db], {cold: true}).still, []);
	const both = service('db', {labels: {postgres: 'a', volumes: 'true'}, mounts: [volume('uploads', '/uploads')]});
	t.deepEqual(plan([both], {cold: true}).still, ['demo-db-1 pause']);
});

test('the plan tells both schedules', t => {
	const {schedule, scheduleCold} = plan([app({schedule: '@daily', 'schedule.cold': '@weekly'})]);
	t.deepEqual([schedule, scheduleCold], ['0 0 * * *', '0 0 * * 0']);
});
