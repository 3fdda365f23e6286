import test from 'ava';
import fc from 'fast-check';
import type {AccessRules} from '../../../agent/config/slack.ts';
import {type Action, actions, approvalsFor, decide, type Person} from '../../../bot/access.ts';

const team = 'T0';
const rules = (rest: Partial<AccessRules> = {}): AccessRules => ({
	viewers: undefined,
	operators: ['U0OPERATOR', 'S0OPERATORS'],
	restorers: ['U0RESTORER'],
	approvals: 1,
	targets: [],
	...rest,
});
const person = (user: string, groups: string[] = [], teams = [team]): Person => ({user, teams, groups: new Set(groups)});

/** What each may do; whatever is not here is refused. */
const matrix: Record<string, {who: Person; may: Action[]}> = {
	'anybody of the team': {who: person('U0ANY'), may: ['view']},
	operator: {who: person('U0OPERATOR'), may: ['view', 'backup', 'drill', 'check', 'cancel']},
	'operator by group': {who: person('U0ANY', ['S0OPERATORS']), may: ['view', 'backup', 'drill', 'check', 'cancel']},
	restorer: {who: person('U0RESTORER'), may: [...actions]},
	'operator of another team': {who: person('U0OPERATOR', [], ['T9']), may: []},
	'restorer in a channel shared with another team': {who: person('U0RESTORER', [], [team, 'T9']), may: []},
	'restorer without a team': {who: person('U0RESTORER', [], []), may: []},
};

for (const [name, {who, may}] of Object.entries(matrix)) {
	for (const action of actions) {
		test(`${name}: ${action} is ${may.includes(action) ? 'allowed' : 'refused'}`, t => {
			t.is(decide(rules(), team, who, {action, target: 'shop/db'}).allowed, may.includes(action));
			t.is(decide(rules(), team, who, {action}).allowed, may.includes(action));
			t.false(decide(rules(), undefined, who, {action}).allowed, 'while the own team is not known');
		});
	}
}

test('with viewers named, nobody else sees anything; operators and restorers do', t => {
	const named = rules({viewers: ['U0VIEWER']});
	for (const [user, allowed] of [
		['U0VIEWER', true],
		['U0OPERATOR', true],
		['U0RESTORER', true],
		['U0ANY', false],
	] as const) {
		t.is(decide(named, team, person(user), {action: 'view'}).allowed, allowed, user);
	}
});

test('a rule for targets replaces the lists that it names; the first that matches counts', t => {
	const special = rules({
		targets: [
			{match: 'beta:pay/*', operators: [], restorers: ['U0BOSS'], approvals: 3},
			{match: '*', restorers: ['U0OTHER']},
		],
	});
	const may = (user: string, action: Action, target: string) => decide(special, team, person(user), {action, target}).allowed;
	t.false(may('U0RESTORER', 'restore', 'beta:pay/db'));
	t.false(may('U0OPERATOR', 'backup', 'beta:pay/db'));
	t.true(may('U0BOSS', 'restore', 'beta:pay/db'));
	t.true(may('U0OPERATOR', 'backup', 'beta:shop/db'));
	t.false(may('U0BOSS', 'restore', 'beta:shop/db'));
	t.is(approvalsFor(special, 'beta:pay/db'), 3);
	t.is(approvalsFor(special, 'beta:shop/db'), 1);
});

test('nobody who is in no list may change anything, whatever the lists are', t => {
	const id = fc.stringMatching(/^[US][A-Z0-9]{3,6}$/);
	const list = fc.array(id, {maxLength: 4});
	fc.assert(
		fc.property(
			list,
			list,
			fc.array(fc.record({match: fc.constantFrom('*', 'shop/*', 'shop/db', 'x'), operators: list, restorers: list}), {maxLength: 3}),
			fc.stringMatching(/^U[A-Z0-9]{3,6}$/),
			fc.constantFrom(...actions.filter(action => action !== 'view')),
			fc.constantFrom(undefined, 'shop/db', 'other'),
			(operators, restorers, targets, user, action, target) => {
				const all = [...operators, ...restorers, ...targets.flatMap(rule => [...rule.operators, ...rule.restorers])];
				fc.pre(!all.includes(user));
				const {allowed} = decide(rules({operators, restorers, targets}), team, person(user), {action, target});
				return !allowed;
			},
		),
	);
	t.pass();
});
