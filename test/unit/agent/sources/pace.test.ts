/** How fast a repository takes what is new. */
import test from 'ava';
import {createPace} from '../../../../agent/sources/pace.ts';

test('the last pass that added enough tells; what was slower than that is unknown again', t => {
	const pace = createPace();
	t.is(pace.secondsFor(1000), undefined);
	pace.learn({addedBytes: 1e6, seconds: 0.01});
	t.is(pace.secondsFor(1000), undefined, 'that is the look at the files');
	pace.learn({addedBytes: 1e8, seconds: 2});
	t.is(pace.secondsFor(1e7), 0.2);
	pace.learn({addedBytes: 1e7, seconds: 2});
	t.is(pace.secondsFor(1e7), 2);
	pace.learn({addedBytes: 1e8, seconds: 0});
	t.is(pace.secondsFor(1e7), 2, 'restic has not said how long');
	pace.forget();
	t.is(pace.secondsFor(1000), undefined);
});
