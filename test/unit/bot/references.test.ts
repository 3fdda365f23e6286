import test from 'ava';
import fc from 'fast-check';
import {type ApprovalRequest, approve} from '../../../bot/approvals.ts';
import {createReferences} from '../../../bot/references.ts';

const now = 1_000_000;
const references = (at = now, secret = 'secret') => createReferences({secret, team: () => 'T0', now: () => at});

test('what was signed is read as it was; until its time is over', t => {
	const order = {verb: 'restore', host: 'alpha', target: 'shop/db <!channel> *x*', point: 'p', only: ['volume:/d'], by: 'U1'};
	const text = references().sign(order, 60_000);
	t.like(references().open(text), {reference: {...order, team: 'T0', until: now + 60_000}});
	t.like(references(now + 60_000).open(text), {reference: order});
	t.deepEqual(references(now + 60_001).open(text), {problem: 'expired'});
	t.deepEqual(references(now, 'another').open(text), {problem: 'forged'});
	t.not(references().sign(order, 1), references().sign(order, 1));
});

test('no change of a single character is accepted, and no other text', t => {
	const text = references().sign({verb: 'undo', run: 'r1'}, 60_000);
	fc.assert(
		fc.property(fc.nat(text.length - 1), fc.stringMatching(/^[A-Za-z0-9_.=+/ -]$/), (index, character) => {
			fc.pre(text[index] !== character);
			return 'problem' in references().open(text.slice(0, index) + character + text.slice(index + 1));
		}),
		{numRuns: 2000},
	);
	fc.assert(fc.property(fc.string(), other => 'problem' in references().open(other)));
	t.deepEqual(references().open(`${text}.`), {problem: 'forged'});
	t.deepEqual(references().open(`${text}=`), {problem: 'forged'});
});

const request = (rest: Partial<ApprovalRequest> = {}): ApprovalRequest => ({
	host: 'alpha',
	target: 'shop/db',
	point: 'p',
	only: [],
	acknowledged: [],
	by: 'U1',
	approvers: [],
	needed: 2,
	until: now,
	...rest,
});

test('a restore needs as many different people as are asked for, in whatever order they press, and in time', t => {
	const user = fc.constantFrom('U1', 'U2', 'U3', 'U4');
	fc.assert(
		fc.property(fc.array(user, {maxLength: 12}), fc.integer({min: 2, max: 4}), fc.boolean(), (presses, needed, inTime) => {
			let current = request({needed});
			let approved = false;
			for (const who of presses) {
				const answer = approve(current, who, inTime ? now : now + 1);
				if (answer.state !== 'refused') {
					current = answer.request;
					approved ||= answer.state === 'approved';
				}
			}

			return approved === (inTime && new Set(['U1', ...presses]).size >= needed);
		}),
	);
	t.like(approve(request(), 'U1', now), {state: 'refused', reason: 'who asks for a restore cannot approve it'});
	t.like(approve(request({approvers: ['U2'], needed: 3}), 'U2', now), {state: 'refused', reason: 'this person approved already'});
});
