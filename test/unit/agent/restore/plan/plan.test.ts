import test from 'ava';
import type {Manifest, ManifestSource} from '../../../../../agent/repository/manifest.ts';
import {cameUpSince, planRestoration} from '../../../../../agent/restore/plan/plan.ts';
import {discoverTargets} from '../../../../../agent/targets/discovery.ts';
import {containerFromList, type ListedContainer} from '../../../../../docker/container.ts';

interface Service {
	labels?: Record<string, string>;
	dependsOn?: string;
	state?: string;
	mounts?: ReadonlyArray<readonly [volume: string, path: string, readWrite?: boolean]>;
	project?: string;
}

function listed(
	service: string,
	{labels = {}, dependsOn = '', state = 'running', mounts = [], project = 'shop'}: Service,
): ListedContainer {
	return {
		Id: `id-${service}`,
		Names: [`/${project}-${service}-1`],
		Image: 'image',
		ImageID: 'sha256:1',
		Created: 0,
		State: state,
		Labels: {
			'com.docker.compose.project': project,
			'com.docker.compose.service': service,
			'com.docker.compose.container-number': '1',
			'com.docker.compose.depends_on': dependsOn,
			...labels,
		},
		Mounts: mounts.map(([Name, Destination, RW = true]) => ({
			Type: 'volume',
			Name,
			Source: `/var/lib/docker/volumes/${Name}/_data`,
			Destination,
			RW,
		})),
	};
}

const source = (name: string, kind: ManifestSource['kind'], details: Record<string, unknown> = {}): ManifestSource => ({
	source: name,
	kind,
	snapshot: 'abcd',
	bytes: 1,
	addedBytes: 1,
	durationSeconds: 1,
	path: '/shop',
	container: {name: 'x', image: 'image', imageId: 'sha256:1', labels: {}},
	details,
});

interface Wanted {
	name: string;
	only?: string[];
	into?: string;
	/** Whose point it is; of the target itself unless given. */
	from?: string;
	/** What it was filed as, where it has another name since. */
	filedAs?: string;
	forceTarget?: boolean;
	skipDrillSql?: boolean;
	isOurs?: boolean;
}

function plan(
	services: Record<string, Service>,
	sources: ManifestSource[],
	{only = [], name, from = name, filedAs = from, ...wanted}: Wanted,
) {
	const containers = Object.entries(services).map(([service, options]) => containerFromList(listed(service, options)));
	const target = discoverTargets(containers).find(candidate => candidate.name === name);
	if (target === undefined) {
		throw new Error('no such target');
	}

	const point = {id: 'run-1', target: from, filedAs, agent: 'agent-1', host: 'h', time: new Date(), manifest: 'm', sources: []};
	const manifest = {run: 'run-1', target: from, sources} as unknown as Manifest;
	return planRestoration({target, containers, point, manifest, only, isOurs: true, ...wanted, self: 'id-holdfast'});
}

const stopped = ({restoration}: ReturnType<typeof plan>) => restoration.stop.map(({container}) => container.service);

const db = {labels: {'holdfast.enable': 'true', 'holdfast.postgres': 'app'}};

test('what is left out of backups now and was not then is in no point, and must be acknowledged', t => {
	const of = (labels: Record<string, string>, exclude: readonly string[] | undefined, only: string[] = []) => {
		const services = {
			app: {labels: {'holdfast.enable': 'true', ...labels}, mounts: [['data', '/data']] as const},
		};
		const stored = source('volume:/data', 'volume', {path: '/data', volume: 'data', ...(exclude && {exclude})});
		const {restoration, problems} = plan(services, [stored], {name: 'shop/app', only});
		t.deepEqual(problems, []);
		return restoration;
	};
	const {acknowledge = '', warnings} = of({'holdfast.exclude': 'cache, /uploads, *.tmp'}, ['cache']);
	t.regex(
		acknowledge,
		/^`shop\/app volume:\/data`: "\/uploads", "\*\.tmp" are left out of backups now .* is in no point.*--only volume:\/data\/PATH/,
	);
	t.true(warnings.includes(acknowledge));
	t.regex(of({'holdfast.exclude': 'cache'}, undefined).acknowledge ?? '', /"cache" is left out of backups now/);
	t.is(of({'holdfast.exclude': '/cache/'}, ['cache', 'logs']).acknowledge, undefined);
	t.is(of({'holdfast.exclude': 'cache'}, [], ['volume:/data/cache/a']).acknowledge, undefined);
	t.is(of({}, ['cache']).acknowledge, undefined);
});

test('who depends on a database is stopped, dependents first; the server is not', t => {
	const services = {
		db,
		api: {dependsOn: 'db:service_healthy:false'},
		web: {dependsOn: 'api:service_started:false'},
		other: {},
		holdfast: {dependsOn: 'db:service_started:false'},
		down: {dependsOn: 'db:service_started:false', state: 'exited'},
		crashing: {dependsOn: 'db:service_started:false', state: 'restarting'},
	};
	const planned = plan(services, [source('postgres:app', 'postgres')], {name: 'shop/db'});
	t.deepEqual(planned.problems, []);
	t.deepEqual(stopped(planned), ['crashing', 'web', 'api']);
});

test('the label `restore.stop` names others instead of the dependents', t => {
	const services = {db: {labels: {...db.labels, 'holdfast.restore.stop': 'cron'}}, api: {dependsOn: 'db:service_healthy:false'}, cron: {}};
	t.deepEqual(stopped(plan(services, [source('postgres:app', 'postgres')], {name: 'shop/db'})), ['cron']);
});

test('a one-off container that uses what is restored is refused, and not overlooked', t => {
	const services = {
		app: {labels: {'holdfast.enable': 'true'}, mounts: [['data', '/data']] as const},
		once: {labels: {'com.docker.compose.oneoff': 'True'}, mounts: [['data', '/w']] as const},
	};
	const planned = plan(services, [source('volume:/data', 'volume')], {name: 'shop/app'});
	t.deepEqual(stopped(planned), ['app']);
	t.regex(planned.problems.join(), /shop-once-1` of `docker compose run` uses what is restored.*docker stop shop-once-1/);
});

const swarm = {
	'com.docker.swarm.task.id': 't'.repeat(25),
	'com.docker.swarm.service.id': 's'.repeat(25),
	'com.docker.swarm.service.name': 'shop_app',
};

test('a task of Swarm that cannot be stopped, and a path that its next container would not have, are refused', t => {
	const labels = {'holdfast.enable': 'true', 'holdfast.volumes': 'true', 'holdfast.tar': '/etc/app', ...swarm};
	const services = {app: {labels, mounts: [['data', '/data']] as const}};
	const files = plan(services, [source('volume:/data', 'volume')], {name: 'shop/app'});
	t.regex(files.problems.join(), /shop-app-1` must be stopped, and .*only a manager can stop that: .*docker node promote/);
	const path = plan(services, [source('tar:/etc/app', 'tar')], {name: 'shop/app'});
	t.regex(path.problems.join(), /`tar:\/etc\/app`: Swarm makes a new container/);
});

test('a volume that is mounted at another path now is restored there; never a part of it that nobody knows to be the same', t => {
	const services = {app: {labels: {'holdfast.enable': 'true'}, mounts: [['data', '/var/lib/app']] as const}};
	const of = (details: Record<string, unknown>, only: string[] = []) =>
		plan(services, [source('volume:/data', 'volume', {path: '/data', ...details})], {name: 'shop/app', only});
	const {restoration, problems} = of({volume: 'data', subpath: null});
	t.deepEqual(problems, []);
	t.deepEqual(
		restoration.sources.map(({name, mount}) => [name, mount?.path]),
		[['volume:/var/lib/app', '/var/lib/app']],
	);
	t.true(restoration.warnings.includes('`volume:/data` is put where its volume is mounted now: `volume:/var/lib/app`'));
	t.deepEqual(stopped(of({volume: 'data', subpath: null}, ['volume:/data/a'])), ['app']);
	for (const details of [
		{volume: 'data'},
		{volume: 'data', subpath: 'a'},
		{volume: 'other', subpath: null},
		{volume: null, subpath: null},
	]) {
		t.regex(of(details).problems.join(), /has no mount at \/data/, JSON.stringify(details));
	}

	const at = {
		app: {
			...services.app,
			mounts: [
				['other', '/data'],
				['data', '/new'],
			] as const,
		},
	};
	const same = plan(at, [source('volume:/data', 'volume', {path: '/data', volume: 'data', subpath: null})], {name: 'shop/app'});
	t.deepEqual(
		same.restoration.sources.map(({name}) => name),
		['volume:/data'],
	);
});

test('who shares a volume is stopped in its own project, and named in others', t => {
	const services = {
		app: {labels: {'holdfast.enable': 'true'}, mounts: [['data', '/data']] as const},
		worker: {mounts: [['data', '/w']] as const},
		reader: {mounts: [['data', '/r', false]] as const},
		stranger: {mounts: [['data', '/s']] as const, project: 'elsewhere'},
	};
	const planned = plan(services, [source('volume:/data', 'volume')], {name: 'shop/app'});
	t.deepEqual(stopped(planned), ['app', 'worker']);
	t.regex(planned.restoration.warnings.join(), /elsewhere-stranger-1.*not stopped/);
	t.regex(planned.restoration.acknowledge ?? '', /elsewhere-stranger-1/, 'and a person says yes to it');
});

test('files come before the databases that lie among them', t => {
	const labels = {'holdfast.enable': 'true', 'holdfast.volumes': 'true', 'holdfast.sqlite': '/data/a.db'};
	const services = {app: {labels, mounts: [['data', '/data']] as const}};
	const {restoration} = plan(services, [source('sqlite:/data/a.db', 'sqlite'), source('volume:/data', 'volume')], {name: 'shop/app'});
	t.deepEqual(
		restoration.sources.map(({kind}) => kind),
		['volume', 'sqlite'],
	);
});

test('all that is wrong is said at once', t => {
	const services = {
		app: {labels: {'holdfast.enable': 'true'}, mounts: [['data', '/data']] as const},
		worker: {mounts: [['data', '/w']] as const, state: 'paused'},
	};
	const sources = [source('volume:/data', 'volume'), source('volume:/gone', 'volume'), source('db/postgres:x', 'postgres')];
	const problems = plan(services, sources, {name: 'shop/app'}).problems.join('\n');
	t.regex(problems, /no mount at \/gone/);
	t.regex(problems, /has no service `db`/);
	t.regex(problems, /shop-worker-1` is paused/);
	t.regex(
		plan(services, sources, {name: 'shop/app', only: ['volume:/typo']}).problems.join(),
		/no source `volume:\/typo`; it has volume:\/data/,
	);
});

test('a part of a point is warned about, and so is what the label says', t => {
	const services = {
		app: {labels: {'holdfast.enable': 'true', 'holdfast.restore.warning': 'mind the users'}, mounts: [['data', '/data']] as const},
	};
	const sources = [source('volume:/data', 'volume'), source('volume:/gone', 'volume')];
	const {restoration, problems} = plan(services, sources, {name: 'shop/app', only: ['volume:/data']});
	t.deepEqual(problems, []);
	t.is(restoration.warnings.length, 2);
	t.regex(restoration.warnings.join(), /mind the users.*1 of the point's sources/);
});

test('a database under a name of its own: nobody is stopped, and nothing else can be meant', t => {
	const services = {db, api: {dependsOn: 'db:service_healthy:false'}};
	const sources = [source('postgres:app', 'postgres'), source('postgres:other', 'postgres')];
	const {restoration, problems} = plan(services, sources, {name: 'shop/db', only: ['postgres:app'], into: 'app2'});
	t.deepEqual(problems, []);
	t.like(restoration, {into: 'app2', stop: [], warnings: []});
	t.like(restoration.sources[0], {into: 'app2', database: 'app'});
	t.regex(plan(services, sources, {name: 'shop/db', into: 'app2'}).problems.join(), /only one Postgres database.*--only/);
	t.regex(plan(services, sources, {name: 'shop/db', only: ['postgres:app'], into: 'ä'.repeat(32)}).problems.join(), /1 to 63 bytes/);
	const app = {labels: {'holdfast.enable': 'true'}, mounts: [['data', '/data']] as const};
	t.regex(
		plan({app}, [source('volume:/data', 'volume')], {name: 'shop/app', into: 'x'}).problems.join(),
		/only one .* database can be restored under another name/,
	);
});

test('a point of another target is refused, with both names; forced, its sources go where the same kind and name belongs', t => {
	const services = {
		db: {labels: {...db.labels, 'holdfast.group': 'all'}},
		files: {labels: {'holdfast.enable': 'true', 'holdfast.group': 'all', 'holdfast.volumes': 'true'}, mounts: [['data', '/data']] as const},
	};
	const sources = [source('postgres:app', 'postgres'), source('volume:/data', 'volume'), source('volume:/gone', 'volume')];
	const refused = plan(services, sources.slice(0, 2), {name: 'shop/all', from: 'other/db'});
	t.deepEqual(refused.problems, ['the point is of target `other/db`, not of `shop/all` (--force-target restores it all the same)']);
	const forced = plan(services, sources.slice(0, 2), {name: 'shop/all', from: 'other/db', forceTarget: true});
	t.deepEqual(forced.problems, []);
	t.deepEqual(
		forced.restoration.sources.map(({name, stored}) => [name, stored.source]),
		[
			['files/volume:/data', 'volume:/data'],
			['db/postgres:app', 'postgres:app'],
		],
	);
	t.regex(forced.restoration.warnings.join(), /`other\/db`, and is put into `shop\/all`/);
	t.deepEqual(plan(services, sources, {name: 'shop/all', from: 'other/db', forceTarget: true}).problems, [
		'`volume:/gone`: target `shop/all` has no place for `volume:/gone`',
	]);
});

test('what the label `drill.sql` asks is asked of its database, unless somebody says otherwise', t => {
	const asking = {labels: {...db.labels, 'holdfast.postgres': 'app,other', 'holdfast.drill.sql': 'select true'}};
	const sources = [source('postgres:other', 'postgres'), source('postgres:app', 'postgres')];
	const questions = (wanted: Partial<Wanted> = {}) =>
		plan({db: asking}, sources, {name: 'shop/db', ...wanted}).restoration.sources.map(({name, drillSql}) => [name, drillSql]);
	t.deepEqual(questions(), [
		['postgres:other', undefined],
		['postgres:app', 'select true'],
	]);
	t.deepEqual(questions({only: ['postgres:other']}), [['postgres:other', undefined]]);
	t.deepEqual(questions({from: 'other/db', forceTarget: true, only: ['postgres:app']}), [['postgres:app', 'select true']]);
	t.deepEqual(questions({skipDrillSql: true, only: ['postgres:app']}), [['postgres:app', undefined]]);
	const {warnings} = plan({db: asking}, sources, {name: 'shop/db', skipDrillSql: true}).restoration;
	t.deepEqual(warnings, ['the query of the label `holdfast.drill.sql` is not asked']);
});

test('what the container may only read, and what is of the system, is left alone; named, it must be acknowledged', t => {
	const mounts = [
		['data', '/data'],
		['media', '/media', false],
		['udev', '/run/udev'],
	] as const;
	const services = (volumes: string) => ({app: {labels: {'holdfast.enable': 'true', 'holdfast.volumes': volumes}, mounts}});
	const stored = ['/data', '/media', '/run/udev'].map(path => source(`volume:${path}`, 'volume'));
	const names = ({restoration}: ReturnType<typeof plan>) => restoration.sources.map(({name}) => name);

	const whole = plan(services('true'), stored, {name: 'shop/app'});
	t.deepEqual([names(whole), whole.problems, whole.restoration.acknowledge], [['volume:/data'], [], undefined]);
	t.regex(whole.restoration.warnings.join('\n'), /`volume:\/media` is left as it is: .* can only be read by the container; --only/);
	t.regex(whole.restoration.warnings.join('\n'), /`volume:\/run\/udev` is left as it is: .* is of the system/);

	const labelled = plan(services('/data,media'), stored, {name: 'shop/app'});
	t.deepEqual(names(labelled), ['volume:/data', 'volume:/media']);
	t.regex(labelled.restoration.acknowledge ?? '', /^`volume:\/media` is written all the same, because it is named: .* can only be read/);
	t.true(labelled.restoration.warnings.includes(labelled.restoration.acknowledge ?? ''));

	const chosen = plan(services('true'), stored, {name: 'shop/app', only: ['volume:/run/udev', 'volume:/media/a']});
	t.deepEqual(names(chosen), ['volume:/run/udev', 'volume:/media']);
	t.is(chosen.restoration.acknowledge?.split('\n').length, 2);

	const secret = {app: {...services('true').app, mounts: [['data', '/run/secrets/key']] as const}};
	for (const only of [[], ['volume:/run/secrets/key']]) {
		const refused = plan(secret, [source('volume:/run/secrets/key', 'volume')], {name: 'shop/app', only});
		t.deepEqual(names(refused), []);
		t.regex(refused.problems.join(), /is a secret/);
	}
});

test('of several replicas the one is named that a path is put into', t => {
	const labels = {'holdfast.enable': 'true', 'holdfast.tar': '/etc/app'};
	const first = containerFromList(listed('app', {labels}));
	const second = {...first, id: 'second', name: 'shop-app-2', labels: {...first.labels, 'com.docker.compose.container-number': '2'}};
	const [target] = discoverTargets([first, second]);
	const point = {id: 'run-1', target: 'shop/app', filedAs: 'shop/app', agent: 'a', host: 'h', time: new Date(), manifest: 'm', sources: []};
	const manifest = {run: 'run-1', target: 'shop/app', sources: [source('tar:/etc/app', 'tar')]} as unknown as Manifest;
	const {restoration} = planRestoration({
		target: target as never,
		containers: [first, second],
		point,
		manifest,
		only: [],
		isOurs: true,
		self: undefined,
	});
	t.deepEqual(restoration.warnings, [
		'`tar:/etc/app` is put into container `shop-app-1` alone; the other 1 of its replicas keep what they have',
	]);
});

test('files that somebody goes on with are written in place: a writer, or who mounts a part of them', t => {
	const services: Record<string, Service> = {
		app: {labels: {'holdfast.enable': 'true'}, mounts: [['data', '/data']]},
		reader: {mounts: [['data', '/data', false]]},
		writer: {mounts: [['data', '/data']]},
	};
	const why = (more: Record<string, Service> = {}) =>
		plan({...services, ...more}, [source('volume:/data', 'volume')], {name: 'shop/app'}).restoration.sources.map(({inPlace}) => inPlace);
	t.deepEqual(why(), [undefined], 'who writes is stopped, and who reads from the root sees what is new');
	const foreign = {project: 'other', mounts: [['data', '/data']]} as const;
	t.deepEqual(why({foreign}), ['container `other-foreign-1` uses it and is not stopped']);
	t.deepEqual(why({foreign: {...foreign, state: 'exited'}}), [undefined]);
});

const volumeOf = (service: string): Service => ({
	labels: {'holdfast.enable': 'true', 'holdfast.volumes': 'true'},
	mounts: [[service, '/data']],
});
const atData = (name: string) => source(name, 'volume', {path: '/data'});
const placed = ({restoration, problems}: ReturnType<typeof plan>) => ({
	sources: restoration.sources.map(({stored, container}) => `${stored.source} > ${container.service}`),
	problems: [...problems],
	warnings: restoration.warnings.filter(text => /left out|filed as/.test(text)),
});

test('a group that was split: each service takes its own, whatever lay at the same path', t => {
	const sources = [atData('app/volume:/data'), atData('web/volume:/data')];
	const services = {app: volumeOf('app'), web: volumeOf('web'), other: volumeOf('other')};
	const of = (name: string, more: Partial<Wanted> = {}) =>
		placed(plan(services, sources, {name, from: 'shop/all', forceTarget: true, ...more}));
	t.like(of('shop/app'), {sources: ['app/volume:/data > app'], problems: []});
	t.like(of('shop/web'), {sources: ['web/volume:/data > web'], problems: []});
	t.regex(of('shop/web').warnings.join(), /`app\/volume:\/data` is left out: service `app`/);
	t.deepEqual(of('shop/other').sources, []);
	t.regex(of('shop/other').problems.join(), /belong at one place of `shop\/other`: choose one with --only/);
	t.like(of('shop/other', {only: ['web/volume:/data']}), {sources: ['web/volume:/data > other'], problems: []});
	const moved = of('shop/app', {from: 'shop/app', filedAs: 'shop/all', forceTarget: false});
	t.like(moved, {sources: ['app/volume:/data > app'], problems: []});
	t.regex(moved.warnings.join(), /was filed as `shop\/all`/);
});

test('services that came together in a group: what each had goes to its own', t => {
	const grouped = (service: string): Service => ({...volumeOf(service), labels: {...volumeOf(service).labels, 'holdfast.group': 'all'}});
	const services = {app: grouped('app'), web: grouped('web')};
	const of = (from: string) => placed(plan(services, [atData('volume:/data')], {name: 'shop/all', from, forceTarget: true}));
	t.like(of('shop/web'), {sources: ['volume:/data > web'], problems: []});
	t.regex(of('shop/third').problems.join(), /more than one place/);
});

test('what must be acknowledged, and was not when it was asked for', t => {
	t.deepEqual(cameUpSince({acknowledge: 'a\nb'}, {acknowledge: 'b'}), []);
	t.deepEqual(cameUpSince({acknowledge: 'a'}, {acknowledge: 'a\nno repository can be written'}), ['no repository can be written']);
	t.deepEqual(cameUpSince({acknowledge: undefined}, {acknowledge: 'a'}), ['a']);
	t.deepEqual(cameUpSince({acknowledge: 'a'}, {acknowledge: undefined}), []);
});

test("Holdfast's own folders in a mount are spared by every restore, be they in the point or not", t => {
	const of = (own: readonly string[], only: string[] = [], kind: 'volume' | 'sqlite' = 'volume', name = 'volume:/app') => {
		const folder = (hostPath: string, Destination: string) => ({Type: 'bind', Source: hostPath, Destination, RW: true});
		const labels = {
			'holdfast.enable': 'true',
			'holdfast.volumes': 'true',
			...(kind === 'sqlite' ? {'holdfast.sqlite': '/app/hf/x.db'} : {}),
		};
		const containers = [
			containerFromList({...listed('app', {labels}), Mounts: [folder('/srv/app', '/app')]}),
			containerFromList({...listed('holdfast', {}), Mounts: own.map((hostPath, index) => folder(hostPath, `/own/${index}`))}),
		];
		const target = discoverTargets(containers).find(each => each.name === 'shop/app');
		const point = {
			id: 'run-1',
			target: 'shop/app',
			filedAs: 'shop/app',
			agent: 'a',
			host: 'h',
			time: new Date(),
			manifest: 'm',
			sources: [],
		};
		const sources = [source(name, kind, {exclude: ['*.tmp', '/backups']})];
		const manifest = {run: 'run-1', target: 'shop/app', sources} as unknown as Manifest;
		return planRestoration({target: target as never, containers, point, manifest, only, isOurs: true, self: 'id-holdfast'});
	};

	const {restoration, problems} = of(['/srv/app/backups', '/srv/app/a/[hf]']);
	t.deepEqual(problems, []);
	t.like(restoration.sources[0], {
		spared: ['/a/[hf]', '/backups'],
		exclude: ['*.tmp', '/backups', '/a/\\[hf\\]'],
		inPlace: "folders of Holdfast's own are in it, and must not be moved",
	});
	t.false('spared' in (of(['/srv/other']).restoration.sources[0] ?? {}));
	for (const path of ['/a', '/a/[hf]', '/a/[hf]/locks']) {
		t.regex(
			of(['/srv/app/a/[hf]'], [`volume:/app${path}`]).problems.join(),
			/"\/app\/a\/\[hf\]" is Holdfast's own .*no restore touches it/,
			path,
		);
	}

	t.deepEqual(of(['/srv/app/a/[hf]'], ['volume:/app/a/b']).problems, []);
	t.regex(of(['/srv/app/hf'], [], 'sqlite', 'sqlite:/app/hf/x.db').problems.join(), /"\/app\/hf" is Holdfast's own/);
	for (const whole of ['/srv/app', '/srv']) {
		t.regex(of([whole]).problems.join(), /is where Holdfast keeps/, whole);
	}
});
