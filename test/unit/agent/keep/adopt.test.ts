import test from 'ava';
import {planAdoption, planMove} from '../../../../agent/keep/adopt.ts';
import {type Filed, ownershipOf} from '../../../../agent/repository/owner.ts';
import {NotFoundError, UsageError} from '../../../../base/errors.ts';

const now = Date.UTC(2026, 0, 10);
const ownership = ownershipOf({agentId: 'a', deeds: () => [], findRun: run => (run === 'a' ? {} : undefined)});

const filed = (agent: string | null, host = 'pi', at = now - 1000): Filed => ({
	id: agent ?? 'legacy',
	agent,
	host,
	target: 'shop/db',
	time: new Date(at),
});

const plan = (name: string, ...all: Filed[]) =>
	planAdoption(name, {filed: [filed('a'), ...all], ownership, now}).deeds.map(
		({kind, by, what, at}) => `${by} ${kind} ${what} ${at.getTime()}`,
	);

test('an agent by its id; a host by its name, with what names no agent', t => {
	t.deepEqual(plan('b', filed('b'), filed('c'), filed(null)), [`a adopt b ${now}`]);
	t.deepEqual(plan('pi', filed('b'), filed(null)), [`a adopt b ${now}`, `a adopt-host pi ${now}`]);
	t.deepEqual(plan('pi', filed(null), filed('b', 'nas')), [`a adopt-host pi ${now}`]);
});

test('all that it filed, although its clock was ahead', t => {
	t.deepEqual(plan('b', filed('b', 'pi', now + 5000)), [`a adopt b ${now + 5000}`]);
});

test('a host name that several agents have says nothing; and what nobody filed, or this agent, is not taken over', t => {
	t.throws(() => plan('pi', filed('b'), filed('c')), {instanceOf: UsageError, message: /several agents.*`pi`: b, c/});
	t.throws(() => plan('nobody', filed('b')), {instanceOf: NotFoundError, message: /no agent or host `nobody`/});
	t.throws(() => plan('a'), {instanceOf: NotFoundError, message: /is this agent's already/});
});

test('what a copy of this state filed can be taken over by its own id', t => {
	t.deepEqual(plan('a', {...filed('a'), id: 'unknown'}), [`a adopt a ${now}`]);
});

const points = ['old/db', 'old/app', 'older/db', 'alone'].map(target => ({target}));
const move = (from: string, to: string, ...present: string[]) => [...planMove({from, to, present}, points)];

test('a target is moved, or all targets of a project', t => {
	t.deepEqual(move('old/db', 'new/database'), [['old/db', 'new/database']]);
	t.deepEqual(move('old', 'new'), [
		['old/app', 'new/app'],
		['old/db', 'new/db'],
	]);
	t.deepEqual(move('alone', 'together/db'), [['alone', 'together/db']]);
});

test('what is still there is not moved, and nothing that is not known', t => {
	t.throws(() => move('old', 'new', 'old/db'), {instanceOf: UsageError, message: /`old\/db` is still there/});
	t.throws(() => move('old/db', 'old/db'), {instanceOf: UsageError});
	t.throws(() => move('nothing', 'new'), {instanceOf: NotFoundError});
	t.throws(() => move('old', 'new/db'), {instanceOf: UsageError, message: /both projects/});
});
