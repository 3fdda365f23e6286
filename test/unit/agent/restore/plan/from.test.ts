import test from 'ava';
import type {Ownership} from '../../../../../agent/repository/owner.ts';
import type {CopyRepository, NamedRepository, Repositories} from '../../../../../agent/repository/repositories.ts';
import {choosePoint} from '../../../../../agent/restore/plan/from.ts';
import {NotFoundError, RepositoryError, type RepositoryProblem} from '../../../../../base/errors.ts';

/** A repository with one point of `shop/db` for each day given; or one that cannot be opened. */
const repository = (name: string, has: readonly number[] | RepositoryProblem): NamedRepository & CopyRepository =>
	({
		name,
		async open() {
			if (typeof has === 'string') {
				throw new RepositoryError(has, `${name} is ${has}`, {hint: 'look'});
			}

			return name;
		},
		restic: () => ({
			snapshots: async () =>
				(has as number[]).flatMap(day =>
					['manifest:1', 'source:tar:/a'].map(tag => ({
						id: `${name}-${day}-${tag}`,
						time: new Date(Date.UTC(2026, 0, day)),
						tree: '',
						host: 'h',
						tags: ['holdfast', `run:run-${day}`, 'target:shop/db', tag],
						paths: [],
						bytes: 1,
						addedBytes: 1,
					})),
				),
		}),
	}) as unknown as NamedRepository & CopyRepository;

const repositories = (
	primary: readonly number[] | RepositoryProblem,
	...copies: Array<readonly number[] | RepositoryProblem>
): Repositories => {
	const all = copies.map((has, index) => repository(`copy-${index}`, has));
	const first = repository('primary', primary);
	return {
		primary: first,
		copies: all,
		named: name => [first, ...all].find(each => each.name === name) as NamedRepository,
		copy: () => all[0] as CopyRepository,
	};
};

/** All that there is is this agent's. */
const ours: Ownership = {agent: 'agent-1', isOurs: () => true, targetOf: ({target}) => target, namesOf: target => [target]};

const latest = {target: 'shop/db', point: 'latest'};

test('the primary is read while it can be, without a word', async t => {
	const {from, point, warning} = await choosePoint(repositories([1, 2], [1, 2, 3]), ours, latest);
	t.deepEqual([from.name, point.id, warning], ['primary', 'run-2', undefined]);
});

for (const problem of ['missing', 'unreachable'] as const) {
	test(`where the primary is ${problem}, the newest point of all copies is taken, and the reason is told`, async t => {
		const {from, point, warning = ''} = await choosePoint(repositories(problem, [1, 2], 'unreachable', [2, 3]), ours, latest);
		t.deepEqual([from.name, point.id], ['copy-2', 'run-3']);
		t.regex(warning, new RegExp(`primary repository cannot be used \\(primary is ${problem}\\).*2026-01-03.*copy \`copy-2\`.*newer ones`));
	});
}

test('with a point that is named, the copy that has it', async t => {
	const {from, point} = await choosePoint(repositories('missing', [2, 3], [1, 2]), ours, {...latest, point: 'run-1'});
	t.deepEqual([from.name, point.id], ['copy-1', 'run-1']);
});

for (const problem of ['wrong-password', 'locked', 'full', 'failed'] as const) {
	test(`a primary that is ${problem} is not passed over: the error names the copies`, async t => {
		const error = await t.throwsAsync(choosePoint(repositories(problem, [1], [1]), ours, latest), {instanceOf: RepositoryError});
		t.like(error, {problem, hint: 'look; a copy may have it: --from copy-0 or --from copy-1'});
	});
}

test('a point that the primary does not have may be in a copy', async t => {
	const error = await t.throwsAsync(choosePoint(repositories([1], [1, 2]), ours, {...latest, point: 'run-2'}), {instanceOf: NotFoundError});
	t.regex(error?.hint ?? '', /a copy may have it: --from copy-0/);
	const {from} = await choosePoint(repositories([1], [1, 2]), ours, {...latest, point: 'run-2', from: 'copy-0'});
	t.is(from.name, 'copy-0');
});

test('where nothing can take its place, every reason is told', async t => {
	const error = await t.throwsAsync(choosePoint(repositories('unreachable', 'wrong-password', []), ours, latest), {
		instanceOf: RepositoryError,
	});
	t.is(error?.problem, 'unreachable');
	t.regex(error?.message ?? '', /primary is unreachable; and no copy can take its place: .*copy-0 is wrong-password.*has no restore point/);
	await t.throwsAsync(choosePoint(repositories('unreachable'), ours, latest), {message: 'primary is unreachable'});
});
