import test from 'ava';
import {filedElsewhere} from '../../../../agent/overview/moved.ts';
import type {Point} from '../../../../agent/repository/points.ts';

const day = 24 * 3_600_000;
const start = Date.UTC(2026, 0, 1);
const [service, other] = ['a'.repeat(25), 'b'.repeat(25)];

/** @param at in days @param since in days; undefined: Swarm has nothing to do with it */
const point = (
	agent: string | null,
	at: number,
	{
		since,
		services = [service],
		managers = [],
		target = 'shop/app',
		source = 'volume:/data',
		bytes = 10,
	}: {since?: number; services?: string[]; managers?: string[]; target?: string; source?: string; bytes?: number} = {},
): Point => ({
	id: `${agent}-${at}`,
	agent,
	host: `host-${agent}`,
	target,
	filedAs: target,
	time: new Date(start + at * day),
	manifest: 'm',
	sources: [{source, snapshot: 's', bytes}],
	...(since === undefined ? {} : {placed: {services, managers, since: start + since * day}}),
});

const ours = [point('a', 2, {since: 0}), point('a', 1, {since: 0})];

const found = (...theirs: Point[]) => {
	const elsewhere = filedElsewhere(ours, theirs).get('shop/app');
	return elsewhere && `${elsewhere.isMoved ? 'moved to' : 'as named on'} ${elsewhere.host}`;
};

test('the same service, on another node since our newest point', t => {
	t.is(found(point('b', 3, {since: 2.5})), 'moved to host-b');
	t.is(found(point('b', 3, {since: 2.5, target: 'stack/other-name'})), 'moved to host-b', 'whatever it is called there');
	t.is(found(point('c', 4, {since: 3.5}), point('b', 3, {since: 2.5})), 'moved to host-c', 'and on again');
	t.is(found(point('b', 3, {since: 2.5, services: [other, service]})), 'moved to host-b', 'in a group with others');
});

test('who had a task of it all along, or something else of that name, proves nothing', t => {
	t.is(found(point('b', 3, {since: 0})), 'as named on host-b');
	t.is(found(point('b', 3, {since: 2.5, services: [other]})), 'as named on host-b');
	t.is(found(point('b', 3)), 'as named on host-b', 'Compose');
	t.is(found(point('b', 3, {target: 'shop/other'})), undefined);
	t.is(found(point(null, 3, {since: 2.5})), undefined, 'nobody knows who filed it');
	const half = filedElsewhere([point('a', 2, {since: 0, services: [service, other]})], [point('b', 3, {since: 2.5})]);
	t.false(half.get('shop/app')?.isMoved, 'half of a group');
});

test('a stack that was removed and deployed anew on another node of the same Swarm, with all of its sources', t => {
	const [manager, second, stranger] = ['m', 'n', 'x'].map(letter => letter.repeat(25)) as [string, string, string];
	const own = [point('a', 2, {since: 0, managers: [manager, second]})];
	const anew = (change: object) =>
		filedElsewhere(own, [point('b', 3, {since: 2.5, services: [other], managers: [second, stranger], ...change})]).get('shop/app')?.isMoved;
	t.true(anew({}), 'one of the managers is the same');
	t.false(anew({managers: [stranger]}), 'another Swarm has a stack of that name');
	t.false(anew({managers: []}), 'nobody knows which Swarm it is');
	t.is(anew({target: 'shop/other'}), undefined, 'another service');
	t.false(anew({source: 'volume:/else'}), 'it no longer backs up what ours did');
	t.false(anew({since: 1}), 'it was there while ours was here');
});

test('what was filed before our newest point is older', t => {
	t.is(found(point('b', 1.5, {since: 1.2})), undefined);
	t.is(found(), undefined);
});

test('the next one may take as long as ours took twice', t => {
	t.is(filedElsewhere(ours, [point('b', 3, {since: 2.5})]).get('shop/app')?.patienceMs, 2 * day);
});
