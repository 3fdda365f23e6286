import test from 'ava';
import {explain, explanation, RunError, refusedFor, UsageError} from '../../../base/errors.ts';

test('a refusal names each mistake, and says each next step once', t => {
	const hint = 'correct the label';
	t.is(explain(refusedFor([{message: 'one', hint}, {message: 'two', hint}, {message: 'three'}])), 'one; two; three (correct the label)');
	t.is(explain(refusedFor([{message: 'one'}])), 'one');
});

test('a cause adds what was not said, and its next step only where the error has none', t => {
	const cause = new UsageError('no such file', {hint: 'make it'});
	t.is(explain(new RunError('the dump failed', {cause})), 'the dump failed: no such file (make it)');
	t.is(explain(new RunError('the dump failed', {cause, hint: 'try again'})), 'the dump failed: no such file (try again)');
	t.is(explain(new RunError('it said: no such file', {cause: new Error('no such file')})), 'it said: no such file');
});

test('of several errors each is said, and so is what to do about each', t => {
	const errors = [
		new RunError('red', {hint: 'mend red'}),
		'green',
		new RunError('blue', {hint: 'mend blue', cause: new RunError('dark', {hint: 'not said'})}),
	];
	t.deepEqual(explanation(new AggregateError(errors, 'all failed')), {
		message: 'all failed: red: green: blue: dark',
		hint: 'mend red; mend blue',
	});
});
