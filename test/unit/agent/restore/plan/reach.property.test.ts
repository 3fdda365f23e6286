/** Whatever mounts there are: what a restore writes its target may write itself, and who else writes there stands still, or a person was asked. */
import test from 'ava';
import fc from 'fast-check';
import type {Manifest} from '../../../../../agent/repository/manifest.ts';
import {planRestoration} from '../../../../../agent/restore/plan/plan.ts';
import {discoverTargets} from '../../../../../agent/targets/discovery.ts';
import {containerFromList} from '../../../../../docker/container.ts';
import {createInspections, readInspection} from '../../../../../docker/inspection.ts';
import {createLook} from '../../../../../docker/look.ts';
import type {Workforce} from '../../../../../docker/worker.ts';
import {lookWorker} from '../../../../support/doubles/look-worker.ts';

const kept = '/var/lib/docker/volumes';

/** Names of the host, and where they lead. */
const links: Record<string, string> = {'/link': '/srv/a', '/srv/b/link': '/srv/a/x', '/to-volume': `${kept}/plain/_data/x`, '/up': '/srv'};

const bound: Record<string, string> = {bound: '/srv/a', twin: '/srv/a', 'by-link': '/link', deep: '/srv/b/link'};

const folders = [
	'/srv',
	'/srv/a',
	'/srv/a/x',
	'/srv/a/x/deep',
	'/srv/b',
	...Object.keys(links),
	'/up/a/x',
	'/link/x',
	`${kept}/plain/_data`,
];

/** What the kernel would say. */
function real(path: string): string {
	const link = Object.keys(links)
		.sort((a, b) => b.length - a.length)
		.find(name => path === name || path.startsWith(`${name}/`));
	return link === undefined ? path : real(`${links[link]}${path.slice(link.length)}`);
}

const isIn = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

interface Sketched {
	from: string;
	isVolume: boolean;
	subpath: string;
	path: string;
	readWrite: boolean;
}

/** Where the files really are. */
const placeOf = ({from, isVolume, subpath}: Sketched): string => {
	const root = isVolume ? real(bound[from] ?? `${kept}/${from}/_data`) : real(from);
	return real(subpath === '' ? root : `${root}/${subpath}`);
};

const mount = fc
	.record({
		volume: fc.constantFrom('plain', 'other', ...Object.keys(bound)),
		folder: fc.constantFrom(...folders),
		isVolume: fc.boolean(),
		subpath: fc.constantFrom('', '', 'x', 'x/deep', 'y'),
		path: fc.constantFrom('/data', '/data/in', '/w', '/conf.d'),
		readWrite: fc.boolean(),
	})
	.map(
		({volume, folder, isVolume, subpath, ...rest}): Sketched => ({
			...rest,
			isVolume,
			from: isVolume ? volume : folder,
			subpath: isVolume ? subpath : '',
		}),
	);

const container = fc.record({
	project: fc.constantFrom('shop', 'shop', 'else'),
	state: fc.constantFrom('running', 'running', 'restarting', 'paused', 'exited'),
	mounts: fc.uniqueArray(mount, {maxLength: 3, selector: ({path}) => path}),
	isTarget: fc.boolean(),
	isOneOff: fc.boolean(),
});

const workforce = {
	async look(paths: readonly string[]) {
		const lines = paths.map((path, index) => `1 2 8:1 ${real(path)} /look/${index} rw - ext4 /dev/a rw`);
		return lookWorker(lines);
	},
	dismiss: async () => {},
} as unknown as Workforce;

/** As the engine lists, inspects and shows them. */
async function seen(
	sketches: ReadonlyArray<{project: string; state: string; mounts: readonly Sketched[]; isTarget: boolean; isOneOff: boolean}>,
) {
	const listed = sketches.map(({project, state, mounts, isTarget, isOneOff}, index) =>
		containerFromList({
			Id: `id-${index}`,
			Names: [`/c${index}`],
			Image: 'image',
			ImageID: 'sha256:1',
			Created: 0,
			State: state,
			Labels: {
				'com.docker.compose.project': project,
				'com.docker.compose.service': `s${index}`,
				'com.docker.compose.container-number': '1',
				'com.docker.compose.oneoff': index > 0 && isOneOff ? 'True' : 'False',
				...(index === 0 || isTarget ? {'holdfast.enable': 'true'} : {}),
			},
			Mounts: mounts.map(({from, isVolume, path, readWrite}) => ({
				Type: isVolume ? 'volume' : 'bind',
				Name: isVolume ? from : undefined,
				Source: isVolume ? `${kept}/${from}/_data` : from,
				Destination: path,
				RW: readWrite,
			})),
		}),
	);
	const inspected = createInspections({
		ask: async id => {
			const mounts = sketches[Number(id.slice(3))]?.mounts ?? [];
			return readInspection({
				Mounts: mounts.map(({path, subpath}) => ({Type: 'volume', Target: path, VolumeOptions: {Subpath: subpath}})),
			});
		},
		volumes: async () =>
			['plain', 'other', ...Object.keys(bound)].map(name => ({
				name,
				driver: 'local',
				options: bound[name] === undefined ? ({} as Record<string, string>) : {type: 'none', o: 'bind', device: bound[name]},
			})),
	});
	const look = createLook({
		hire: async () => workforce,
		dataRoot: '/var/lib/docker',
		details: async () => ({startedAt: '', state: 'running' as const}),
		mountsIn: async () => '',
		own: async () => '',
	});
	return (await look(await inspected(listed))).containers;
}

test('a restore writes what its target may write, and every other writer stands still or is acknowledged', async t => {
	let written = 0;
	let shared = 0;
	await fc.assert(
		fc.asyncProperty(fc.array(container, {minLength: 1, maxLength: 5}), fc.boolean(), async (sketches, isNamed) => {
			const [first] = sketches;
			if (first === undefined) {
				return;
			}

			const all = [{...first, project: 'shop', isTarget: true}, ...sketches.slice(1)];
			const containers = await seen(all);
			const target = discoverTargets(containers).find(({name}) => name === 'shop/s0');
			const sources = first.mounts.map(({path}) => ({
				source: `volume:${path}`,
				kind: 'volume',
				details: {},
				path,
				snapshot: 's',
				bytes: 1,
			}));
			const point = {id: 'p', target: 'shop/s0', filedAs: 'shop/s0', agent: 'a', host: 'h', time: new Date(), manifest: 'm', sources: []};
			const manifest = {run: 'p', target: 'shop/s0', sources} as unknown as Manifest;
			const only = isNamed ? sources.map(({source}) => source).slice(0, 1) : [];
			const asked = {containers, point, manifest, only, isOurs: true, self: undefined};
			const {restoration, problems} = planRestoration({...asked, target: target as never});
			if (problems.length > 0) {
				return;
			}

			const {stop, acknowledge = ''} = restoration;
			for (const source of restoration.sources) {
				const own = first.mounts.find(({path}) => path === source.mount?.path);
				if (own === undefined) {
					throw new Error('it is written where the target mounts nothing');
				}

				written++;
				const place = placeOf(own);
				if (!own.readWrite && !acknowledge.includes(source.name)) {
					throw new Error(`${source.name} can only be read by the target`);
				}

				for (const [index, {state, mounts}] of all.entries()) {
					const writes = mounts.some(each => each.readWrite && (isIn(placeOf(each), place) || isIn(place, placeOf(each))));
					if (writes && state !== 'exited') {
						shared += index === 0 ? 0 : 1;
						const isStopped = stop.some(one => one.container.id === `id-${index}`);
						if (!isStopped && !acknowledge.includes(`\`c${index}\``)) {
							throw new Error(`c${index} (${state}) writes to ${place} meanwhile`);
						}
					}
				}
			}
		}),
		{numRuns: 1500},
	);
	t.true(written > 300 && shared > 100, `${written} sources, ${shared} other writers`);
});
