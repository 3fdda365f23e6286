/** Five agents find no repository and make one at the same moment, on each sort of storage: all come to the same one, and each backs up to it. Lane: works. Turns: repository. */
import test from 'ava';
import type {BackupResult} from '../../../base/results.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {makeBucket, storageServers} from '../../support/stack/storage-servers.ts';
import {hardlyEver, startStack} from '../../support/stack.ts';
import {until} from '../../support/until.ts';

const image = process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev';
const count = 5;
const numbers = Array.from({length: count}, (_, index) => index + 1);
const s3 = {AWS_ACCESS_KEY_ID: 's3-identity', AWS_SECRET_ACCESS_KEY: 's3-secret', RESTIC_CACERT: '/etc/holdfast/ca.pem'};

const places: Record<string, Record<string, string>> = {
	folder: {RESTIC_REPOSITORY: '/repository'},
	rest: {RESTIC_REPOSITORY: 'rest:http://rest-user:rest-secret@rest:8080/'},
	s3: {RESTIC_REPOSITORY: 's3:https://s3:8443/bucket', ...s3},
};

test('five agents that make one repository at once have one, with one key; and what each stores there is whole', async t => {
	t.timeout(25 * 60_000);
	const servers = await storageServers(t);
	const agent = (place: string, number: number) => ({
		image,
		environment: {
			...hardlyEver,
			...places[place],
			RESTIC_PASSWORD: 'the same for all',
			HOLDFAST_HOST: `${place}-${number}`,
			HOLDFAST_PROJECTS: '$COMPOSE_PROJECT_NAME',
		},
		// All begin at the same moment, however long the engine takes to start them.
		entrypoint: ['sh', '-c', `until test -e /gate/${place}; do sleep 0.05; done; exec holdfast agent`],
		volumes: [
			'/var/run/docker.sock:/var/run/docker.sock',
			'gate:/gate:ro',
			'shared:/repository',
			`${servers.folder}:/etc/holdfast:ro`,
			`${place}-${number}-state:/state`,
			`${place}-${number}-cache:/cache`,
		],
		stop_grace_period: '1s',
	});
	const agentsOf = (place: string) => numbers.map(number => `${place}-${number}`);
	const stack = await startStack(t, {
		volumes: [
			'data',
			'gate',
			'shared',
			...Object.keys(places).flatMap(place => agentsOf(place).flatMap(each => [`${each}-state`, `${each}-cache`])),
		],
		up: ['holdfast', 'app', 'rest', 's3'],
		services: {
			...servers.services,
			...Object.fromEntries(
				Object.keys(places).flatMap(place => numbers.map(number => [`${place}-${number}`, agent(place, number)] as const)),
			),
			app: {
				image: await ensureImage('holdfast-test/app:latest'),
				command: ['sleep', 'infinity'],
				init: true,
				volumes: ['data:/data', 'gate:/gate'],
				labels: {'holdfast.enable': 'true', 'holdfast.quiesce': 'none', 'holdfast.volumes': '/data'},
			},
		},
	});
	await makeBucket(stack);
	await stack.exec('app', 'sh', '-c', 'echo content >/data/file');

	for (const place of Object.keys(places)) {
		const agents = agentsOf(place);
		await stack.compose('create', ...agents);
		await docker(['start', ...agents.map(stack.container)]);
		await stack.exec('app', 'touch', `/gate/${place}`);
		await until(
			`five agents on ${place}`,
			async () => {
				for (const each of agents) {
					await stack.exec(each, 'holdfast', 'points', '--json');
				}

				return true;
			},
			{timeout: 8 * 60_000, interval: 1000},
		);
		const plain = async (...argv: string[]) => stack.exec(`${place}-1`, 'restic', '--no-cache', ...argv);
		const keys = JSON.parse(await plain('key', 'list', '--json')) as unknown[];
		t.is(keys.length, 1, `${place}: ${JSON.stringify(keys)}`);
		for (const each of agents) {
			const said = await stack.exec(each, 'holdfast', 'backup', `${stack.project}/app`, '--json');
			const {outcome, error} = JSON.parse(said) as BackupResult;
			t.is(outcome, 'success', `${each}: ${error}`);
		}

		t.regex(await plain('check', '--read-data'), /no errors were found/);
		const hosts = (JSON.parse(await plain('snapshots', '--json', '--tag', 'manifest:1')) as Array<{hostname: string}>).map(
			({hostname}) => hostname,
		);
		t.deepEqual(hosts.toSorted(), agents, 'each has its point');
		await docker(['rm', '--force', ...agents.map(stack.container)]);
	}
});

test('a making that was killed between its two files left a key and nothing else: in a folder it is made all the same', async t => {
	const stack = await startStack(t, {
		slowKey: true,
		services: {},
		holdfast: {
			entrypoint: [
				'sh',
				'-c',
				'test -e /repository/config || { RESTIC_PASSWORD=x restic init --repo /repository && rm /repository/config; }; exec holdfast agent',
			],
			environment: {RESTIC_PASSWORD: 'x'},
		},
	});
	await stack.ready();
	t.is((await stack.holdfast('points', '--json')).stdout.trim(), '[]');
});
