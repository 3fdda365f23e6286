import test from 'ava';
import {type Deed, deedsOf, deedTags, type Filed, type Known, ownershipOf} from '../../../../agent/repository/owner.ts';

const day = (of: number) => new Date(Date.UTC(2026, 0, of));

const filed = (agent: string | null, change: Partial<Filed> = {}): Filed => ({
	id: `run-of-${agent}`,
	agent,
	host: 'pi',
	target: 'shop/db',
	time: day(1),
	...change,
});

/** The agent `a`, whose state knows the runs of `a`. */
const known = (deeds: readonly Deed[] = [], change: Partial<Known> = {}) =>
	ownershipOf({agentId: 'a', deeds: () => deeds, findRun: run => (run === 'run-of-a' ? {} : undefined), ...change});

test("a point is the agent's that filed it, whatever the host is called", t => {
	const {isOurs} = known();
	t.true(isOurs(filed('a')));
	t.true(isOurs(filed('a', {host: 'renamed'})));
	t.false(isOurs(filed('b')));
});

test('of points that name no agent, those are its own whose run its state knows', t => {
	const {isOurs} = known([], {findRun: run => (run === 'mine' ? {} : undefined)});
	t.true(isOurs(filed(null, {id: 'mine', host: 'a former name'})));
	t.false(isOurs(filed(null, {id: 'of somebody'})));
});

test('what has its id and is no run of its own was filed by a copy of its state, until a person says otherwise', t => {
	t.false(known().isOurs(filed('a', {id: 'run of a cloned machine'})));
	const {isOurs} = known([{kind: 'adopt', by: 'a', what: 'a', at: day(2)}]);
	t.true(isOurs(filed('a', {id: 'run of a cloned machine'})));
	t.false(isOurs(filed('a', {id: 'run of a cloned machine', time: day(3)})));
});

test("what was taken over is the later agent's, and no more the former's; what is filed afterwards is not", t => {
	const deeds: Deed[] = [{kind: 'adopt', by: 'a', what: 'b', at: day(2)}];
	const former = ownershipOf({agentId: 'b', deeds: () => deeds, findRun: () => ({})});
	const [before, after] = [filed('b'), filed('b', {time: day(3)})];
	t.deepEqual([known(deeds).isOurs(before), former.isOurs(before)], [true, false]);
	t.deepEqual([known(deeds).isOurs(after), former.isOurs(after)], [false, true]);
});

test('who takes over an agent takes over what that one had taken over, and its moves', t => {
	const deeds: Deed[] = [
		{kind: 'adopt-host', by: 'c', what: 'pi', at: day(2)},
		{kind: 'move', by: 'c', what: 'shop/db', to: 'store/db', at: day(3)},
		{kind: 'adopt', by: 'b', what: 'c', at: day(4)},
		{kind: 'adopt', by: 'a', what: 'b', at: day(5)},
	];
	const {isOurs, targetOf} = known(deeds);
	t.true(isOurs(filed(null, {id: 'nobody knows'})));
	t.is(targetOf(filed(null)), 'store/db');
	t.false(ownershipOf({agentId: 'b', deeds: () => deeds, findRun: () => undefined}).isOurs(filed(null)));
});

test('a target that was moved has its new name, also after a second move; what is filed later under the old one keeps that', t => {
	const {targetOf, namesOf} = known([
		{kind: 'move', by: 'a', what: 'old/db', to: 'new/db', at: day(2)},
		{kind: 'move', by: 'a', what: 'new/db', to: 'newest/db', at: day(4)},
		{kind: 'move', by: 'stranger', what: 'other/db', to: 'newest/db', at: day(4)},
	]);
	t.is(targetOf(filed('a', {target: 'old/db'})), 'newest/db');
	t.is(targetOf(filed('a', {target: 'new/db', time: day(3)})), 'newest/db');
	t.is(targetOf(filed('a', {target: 'old/db', time: day(3)})), 'old/db');
	t.is(targetOf(filed('a', {target: 'other/db'})), 'other/db');
	t.true(['newest/db', 'new/db', 'old/db'].every(name => namesOf('newest/db').includes(name)));
});

test('a deed is found again in the repository, with names that a tag cannot hold', t => {
	const deeds: Deed[] = [
		{kind: 'adopt', by: 'a', what: 'b', at: day(1)},
		{kind: 'adopt-host', by: 'a', what: 'a host, with 100 %', at: day(2)},
		{kind: 'move', by: 'a', what: 'old/db', to: 'new/db', at: day(3)},
	];
	const snapshots = deeds.toReversed().map(deed => ({
		id: 'x',
		time: deed.at,
		tags: deedTags(deed),
		tree: '',
		host: 'h',
		paths: [],
		bytes: 0,
		addedBytes: 0,
	}));
	t.true(snapshots.every(({tags}) => tags.every(tag => !tag.includes(','))));
	t.deepEqual(deedsOf(snapshots), deeds);
	t.deepEqual(deedsOf([{...snapshots[0], tags: ['holdfast', 'holdfast-deed']} as (typeof snapshots)[number]]), []);
});
