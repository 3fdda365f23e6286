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
		target = 'shop/app',
		bytes = 10,
	}: {since?: number; services?: string[]; target?: string; bytes?: number} = {},
): Point => ({
	id: `${agent}-${at}`,
	agent,
	host: `host-${agent}`,
	target,
	filedAs: target,
	time: new Date(start + at * day),
	manifest: 'm',
	sources: [{source: 'volume:/data', snapshot: 's', bytes}],
	...(since === undefined ? {} : {placed: {services, since: start + since * day}}),
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

test('what was filed before our newest point is older', t => {
	t.is(found(point('b', 1.5, {since: 1.2})), undefined);
	t.is(found(), undefined);
});

test('the next one may take as long as ours took twice', t => {
	t.is(filedElsewhere(ours, [point('b', 3, {since: 2.5})]).get('shop/app')?.patienceMs, 2 * day);
});
