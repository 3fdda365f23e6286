import test from 'ava';
import {findFilers} from '../../../../agent/overview/owners.ts';
import {ownershipOf} from '../../../../agent/repository/owner.ts';
import type {Point} from '../../../../agent/repository/points.ts';

const now = Date.UTC(2026, 0, 10);
const hour = 3_600_000;

const point = (agent: string | null, {host = 'pi', hours = 1, target = 'shop/db', id = `${agent}`} = {}): Point => ({
	id,
	agent,
	host,
	target,
	filedAs: target,
	time: new Date(now - hours * hour),
	manifest: 'm',
	sources: [],
});

const examine = (...points: Point[]) =>
	findFilers({
		points,
		ownership: ownershipOf({agentId: 'a', deeds: () => [], findRun: run => (run === 'a' ? {} : undefined)}),
		host: 'pi',
		now,
	}).map(({finding: {level, message, hint = ''}}) => `${level}: ${message}; ${hint}`);

test('of its own nothing is said', t => {
	t.deepEqual(examine(point('a')), []);
});

test('an agent that lives is named; under the same name for the same target it is a warning', t => {
	t.regex(examine(point('a'), point('b', {host: 'nas'})).join(), /^ok: agent b files here, too: 1 restore points on host `nas`/);
	t.regex(examine(point('a'), point('b')).join(), /^warning: agent b .* same host name .* `shop\/db`.*HOLDFAST_HOST.*adopt b --force/);
	t.regex(examine(point('a'), point('b', {target: 'other/db'})).join(), /^ok: /);
});

test('a former agent of this host, or of a host that nobody has any more, is named with how to take it over', t => {
	t.regex(examine(point('a'), point('b', {hours: 48})).join(), /^warning: agent b, which has not filed .*holdfast adopt b$/);
	t.regex(examine(point('b', {hours: 48, host: 'old-name'})).join(), /^warning: /);
	t.regex(examine(point('a'), point('b', {hours: 48, host: 'nas'})).join(), /^ok: /);
});

test('what names no agent, and what a copy of this state filed', t => {
	t.regex(examine(point('a'), point(null)).join(), /^warning: .*name no agent.*holdfast adopt pi$/);
	t.regex(examine(point('a', {id: 'unknown'})).join(), /^warning: .*own id.*empty state.*holdfast adopt a --force$/);
});
