/** What cannot be restored is refused, and nothing is touched: damaged points, crafted archives, too little room, and who cannot be stopped. */
import {buffer} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import {type Header, pack} from 'tar-stream';
import type {Manifest} from '../../../agent/repository/manifest.ts';
import {docker} from '../../support/docker.ts';
import {ensureImage} from '../../support/images.ts';
import {type PlainSnapshot, put} from '../../support/stack/reader.ts';
import {type Stack, startStack} from '../../support/stack.ts';

type Entry = Pick<Header, 'name'> & {type?: 'directory' | 'link' | 'symlink'; linkname?: string; content?: string};

interface Crafted {
	name: string;
	entries: ReadonlyArray<Entry>;
	why: RegExp;
}

const top: Entry = {name: 'app', type: 'directory'};

const crafted: readonly Crafted[] = [
	{name: 'a path that climbs', entries: [top, {name: 'app/../shadow', content: 'x'}], why: /not below it/},
	{name: 'an absolute path', entries: [top, {name: '/etc/shadow', content: 'x'}], why: /not below it/},
	{name: 'another folder', entries: [{name: 'other', type: 'directory'}], why: /not below it/},
	{name: 'a hard link out', entries: [top, {name: 'app/link', type: 'link', linkname: 'app/../../etc/shadow'}], why: /not below it/},
	{
		name: 'a link, then a file through it',
		entries: [top, {name: 'app/link', type: 'symlink', linkname: '/etc'}, {name: 'app/link/planted', content: 'x'}],
		why: /not in a folder of the archive/,
	},
	{
		name: 'a link, then a hard link through it',
		entries: [top, {name: 'app/link', type: 'symlink', linkname: '/etc'}, {name: 'app/hard', type: 'link', linkname: 'app/link/shadow'}],
		why: /not in a folder of the archive/,
	},
	{
		name: 'a link, then a folder of its name',
		entries: [top, {name: 'app/link', type: 'symlink', linkname: '/etc'}, {name: 'app/link', type: 'directory'}],
		why: /not in a folder of the archive/,
	},
];

async function archiveOf({entries}: Crafted): Promise<Buffer> {
	const archive = pack();
	for (const {content, ...header} of entries) {
		archive.entry(header, content ?? '');
	}

	archive.finalize();
	return buffer(archive);
}

/** A point that holds one archive, made with plain restic by somebody who has the repository's password. */
async function forge(stack: Stack, target: string, real: Manifest, id: string, content: Buffer): Promise<void> {
	const store = async (path: string, bytes: Buffer, tags: readonly string[]) => {
		await put(stack, 'holdfast', '/tmp/forged', bytes);
		const all = ['holdfast', `run:${id}`, `target:${target}`, ...tags].map(tag => `--tag=${tag}`);
		await stack.restic('backup', '--quiet', '--stdin-from-command', `--stdin-filename=${path}`, ...all, '--', 'cat', '/tmp/forged');
	};
	const source = real.sources.find(({kind}) => kind === 'tar') as Manifest['sources'][number];
	await store(source.path, content, [`source:${source.source}`]);
	const [{id: snapshot} = {id: ''}] = JSON.parse(await stack.restic('snapshots', '--json', '--tag', `run:${id}`)) as PlainSnapshot[];
	const manifest: Manifest = {...real, run: id, sources: [{...source, snapshot}]};
	await store(`/${target}/manifest.json`, Buffer.from(JSON.stringify(manifest)), ['manifest:1']);
}

async function start(
	t: ExecutionContext,
): Promise<{stack: Stack; target: string; look: () => Promise<string>; sh: (script: string) => Promise<string>}> {
	t.timeout(8 * 60_000);
	const image = await ensureImage('holdfast-test/app:latest');
	const stack = await startStack(t, {
		volumes: ['data', 'small'],
		volumeOptions: {small: {type: 'tmpfs', device: 'tmpfs', o: 'size=10m'}},
		services: {
			app: {
				image,
				command: ['sleep', 'infinity'],
				init: true,
				volumes: ['data:/data', 'small:/small'],
				labels: {'holdfast.enable': 'true', 'holdfast.volumes': 'true', 'holdfast.tar': '/etc/app'},
			},
			// What is in memory is gone when nobody has it mounted.
			keeper: {image, command: ['sleep', 'infinity'], init: true, volumes: ['small:/small:ro']},
		},
	});
	const sh = async (script: string) => stack.exec('app', 'sh', '-ec', script);
	const look = async () =>
		`${await docker(['inspect', '--format', '{{.State.StartedAt}}', stack.container('app')])}\n${await sh('find /data /small /etc/app -printf "%p %y %m %T@\\n" | sort; find /data /small /etc/app -type f -print0 | sort -z | xargs -0 sha256sum; sha256sum /etc/shadow')}`;
	return {stack, target: `${stack.project}/app`, look, sh};
}

test('what cannot be restored is refused, and nothing is touched', async t => {
	const {stack, target, look, sh} = await start(t);
	await sh('mkdir /etc/app; echo conf >/etc/app/conf; head -c 3000000 /dev/urandom >/data/big; head -c 6000000 /dev/urandom >/small/big');
	const [backup] = await stack.backup(target);
	t.is(backup?.outcome, 'success', backup?.error);
	const point = backup?.point ?? '';
	const [snapshot] = JSON.parse(await stack.restic('snapshots', '--json', '--tag', `run:${point},manifest:3`)) as PlainSnapshot[];
	const real = JSON.parse(await stack.restic('dump', snapshot?.id ?? '', `/${target}/manifest.json`)) as Manifest;
	await sh('echo mine >/etc/app/conf; head -c 1000 /dev/urandom >/data/big; rm /small/big; head -c 7000000 /dev/urandom >/small/other');
	const before = await look();
	const refused = async (why: RegExp, ...options: string[]) => {
		const result = await stack.restore(target, ...options);
		t.is(result.outcome, 'failed');
		t.regex(result.error ?? '', why);
		t.is(result.outageSeconds, 0);
		t.deepEqual(result.replaced, []);
		t.is(await look(), before);
	};

	const tooLittle = /too little room for `volume:\/small`: 5\.7 MiB are to be written.*MiB left/;
	const planned = await stack.holdfast('restore', target, '--point', point, '--only', 'volume:/small', 'volume:/nothing', '--dry-run');
	t.is(planned.exitCode, 2);
	t.regex(planned.stderr, /has no source `volume:\/nothing`/);
	t.regex(planned.stderr, tooLittle);
	await refused(tooLittle, '--point', point);
	t.is((await stack.holdfast('restore', target, '--point', point, '--only', 'volume:/data', '--dry-run')).exitCode, 0);
	for (const [index, archive] of crafted.entries()) {
		await forge(stack, target, real, `forged-${index}`, await archiveOf(archive));
		await refused(archive.why, '--point', `forged-${index}`);
		t.pass(archive.name);
	}

	const packs = (await stack.exec('holdfast', 'find', '/repository/data', '-type', 'f', '-size', '+500k')).split('\n').filter(Boolean);
	t.not(packs.length, 0);
	for (const damage of ['dd if=/dev/zero of="$1" bs=1 seek=2000 count=64 conv=notrunc status=none', 'truncate -s 100000 "$1"', 'rm "$1"']) {
		for (const file of packs) {
			await stack.exec('holdfast', 'sh', '-ec', `test -e "$1.aside" || cp -p "$1" "$1.aside"; chmod u+w "$1"; ${damage}`, 'sh', file);
		}

		await refused(/./, '--point', point, '--only', 'volume:/data');
		for (const file of packs) {
			await stack.exec('holdfast', 'cp', '-p', `${file}.aside`, file);
		}
	}

	const temporary = await docker([
		...[
			'run',
			'--detach',
			'--rm',
			'--label',
			`com.docker.compose.project=${stack.project}`,
			'--label',
			'com.docker.compose.service=temporary',
		],
		...['--volume', `${stack.project}_data:/data`, '--init', await ensureImage('holdfast-test/app:latest'), 'sleep', 'infinity'],
	]);
	const unstoppable = await stack.holdfast('restore', target, '--point', point, '--yes');
	await docker(['rm', '--force', temporary]);
	t.is(unstoppable.exitCode, 2);
	t.regex(unstoppable.stderr, /was started with --rm/);

	await stack.restic('forget', real.sources.find(({source}) => source === 'volume:/small')?.snapshot ?? '');
	const incomplete = await stack.holdfast('restore', target, '--point', point, '--yes');
	t.is(incomplete.exitCode, 2);
	t.regex(incomplete.stderr, /no restore point/);
	t.is(await look(), before);
});
