import test from 'ava';
import {examineFormer} from '../../../../agent/doctor/former.ts';

const hour = 3_600_000;

const volume = (project: string, key: string, createdAt: number | undefined) => ({
	name: `${project}_${key}`,
	driver: 'local',
	options: {},
	labels: {'com.docker.compose.project': project, 'com.docker.compose.volume': key},
	createdAt,
});

const mount = (name: string) => ({type: 'volume', volume: name, path: `/${name}`, hostPath: ''}) as never;

const own = ['state', 'repository'];

/** What is said to an agent of the project `new`. */
const found = (
	left: Array<ReturnType<typeof volume>>,
	{isNew = true, containers = []}: {isNew?: boolean; containers?: Array<{project: string; mounts: never[]}>} = {},
) =>
	examineFormer({
		isNew,
		self: {mounts: own.map(key => mount(`new_${key}`))},
		volumes: [...own.map(key => volume('new', key, 10 * hour)), ...left],
		containers: [{project: 'new', mounts: own.map(key => mount(`new_${key}`))}, ...containers],
	}).map(({message, hint}) => `${message}\n${hint}`);

const old = (createdAt?: number) => [...own, 'data'].map(key => volume('old', key, createdAt));

test('an agent that begins anew is told of a project that left volumes of the same names', t => {
	const [text = '', ...others] = found(old(hour));
	t.deepEqual(others, []);
	t.regex(
		text,
		/a project `old` that has no container any more left volumes of the same names \(`old_state`, `old_repository`\): if `new` was called so before/,
	);
	t.regex(text, /`name: old` in the Compose file/);
	t.notRegex(text, /volume rm|prune/, "what may hold the only restore points is nobody's to remove on a guess");
});

test('not who has backed up something, of what is used or was made just before, nor of what has only some of them', t => {
	t.deepEqual(found(old(hour), {isNew: false}), []);
	t.deepEqual(found(old(hour), {containers: [{project: 'old', mounts: []}]}), [], 'it is only stopped');
	t.deepEqual(found(old(hour), {containers: [{project: 'copy', mounts: [mount('old_state')]}]}), [], 'somebody else has one of them');
	t.deepEqual(found(old(9.5 * hour)), [], 'it was tried out');
	t.deepEqual(found(old(undefined)), [], 'nobody knows when');
	t.deepEqual(found(old(hour).slice(1)), [], 'a stack that keeps its state elsewhere');
	t.deepEqual(found([]), []);
});
