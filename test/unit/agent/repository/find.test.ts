import test from 'ava';
import {findPoint, findPointOfProject} from '../../../../agent/repository/find.ts';
import {type Deed, ownershipOf} from '../../../../agent/repository/owner.ts';
import type {Restic, Snapshot} from '../../../../agent/restic/restic.ts';
import {NotFoundError, UsageError} from '../../../../base/errors.ts';

interface Made {
	agent?: string;
	target?: string;
	host?: string;
	day: number;
}

const snapshotsOf = ({agent, target = 'shop/db', host = 'pi', day}: Made): Snapshot[] =>
	['manifest:1', 'source:volume:/data'].map(tag => ({
		id: `${agent}-${day}-${tag}`,
		time: new Date(Date.UTC(2026, 0, day)),
		tree: '',
		host,
		tags: ['holdfast', ...(agent === undefined ? [] : [`agent:${agent}`]), `run:${agent}-${day}`, `target:${target}`, tag],
		paths: [],
		bytes: 1,
		addedBytes: 1,
	}));

/** As the agent `a` sees it. */
const find = async (made: readonly Made[], wish: Partial<Parameters<typeof findPoint>[2]> = {}, deeds: readonly Deed[] = []) => {
	const all = made.flatMap(snapshotsOf);
	const restic = {
		snapshots: async (tags: readonly string[] = []) => all.filter(snapshot => tags.every(tag => snapshot.tags.includes(tag))),
	} as unknown as Restic;
	const ownership = ownershipOf({agentId: 'a', deeds: () => deeds, findRun: run => (run.startsWith('a-') ? {} : undefined)});
	const wanted = {target: 'shop/db', point: 'latest', ...wish};
	return {point: (await findPoint(restic, ownership, wanted)).id, ofProject: (await findPointOfProject(restic, ownership, wanted))?.id};
};

const both: Made[] = [
	{agent: 'a', day: 1},
	{agent: 'b', day: 2},
];

test('the newest, and the newest until a time, are those of this agent', async t => {
	t.deepEqual(await find(both), {point: 'a-1', ofProject: 'a-1'});
	t.deepEqual(await find([{agent: 'a', day: 1}, {agent: 'a', day: 3}, ...both.slice(1)], {point: '2026-01-02T12:00'}), {
		point: 'a-1',
		ofProject: 'a-1',
	});
});

test('the newest is none whose time is still to come, where there is another', async t => {
	const ahead = {agent: 'a', day: 40_000};
	t.is((await find([...both, ahead])).point, 'a-1');
	t.is((await find([...both, ahead], {point: 'a-40000'})).point, 'a-40000');
	t.is((await find([ahead])).point, 'a-40000');
});

test("another's is found by its id, or under its host's name or agent", async t => {
	t.deepEqual(await find(both, {point: 'b-2'}), {point: 'b-2', ofProject: 'b-2'});
	t.is(
		(
			await find(
				[
					{agent: 'b', day: 2, host: 'nas'},
					{agent: 'a', day: 3},
				],
				{fromHost: 'nas'},
			)
		).point,
		'b-2',
	);
	t.is((await find(both, {fromHost: 'b'})).point, 'b-2');
});

test('under a host name that several agents have, nothing is the newest', async t => {
	const error = await t.throwsAsync(find(both, {fromHost: 'pi'}), {instanceOf: UsageError});
	t.regex(error?.message ?? '', /several agents.*`pi`: b, this agent/);
});

test('where only others have filed something, the error says who, where, how many, and how to take it over', async t => {
	const error = await t.throwsAsync(
		find([
			{agent: 'b', day: 1},
			{agent: 'b', day: 2},
		]),
		{instanceOf: NotFoundError},
	);
	t.is(
		error?.message,
		'`shop/db` has no restore point of this agent; agent b on host `pi` has filed 2, the newest of 2026-01-02T00:00:00.000Z',
	);
	t.is(error?.hint, 'take over what that agent filed: holdfast adopt b; or name it: --from-host pi, or --point ID');
	const legacy = await t.throwsAsync(find([{day: 1}]), {instanceOf: NotFoundError});
	t.regex(legacy?.hint ?? '', /holdfast adopt pi;/);
});

test('where a project had another name, the error names it; the points are found under it, and after a move without it', async t => {
	const old = [{agent: 'a', day: 1, target: 'old/db'}];
	const error = await t.throwsAsync(find(old), {instanceOf: NotFoundError});
	t.regex(
		`${error?.message} ${error?.hint}`,
		/points of `old\/db`.*restore shop\/db --from-target old\/db.*holdfast move old\/db shop\/db/,
	);
	t.is((await find(old, {fromTarget: 'old/db'})).point, 'a-1');
	t.is((await find(old, {}, [{kind: 'move', by: 'a', what: 'old/db', to: 'shop/db', at: new Date(Date.UTC(2026, 0, 2))}])).point, 'a-1');
});
