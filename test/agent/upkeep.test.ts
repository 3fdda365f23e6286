import test from 'ava';
import {nextPart} from '../../agent/upkeep.ts';

test('the parts of the data are read in turn', t => {
	t.is(nextPart(undefined, 13), '1/13');
	t.is(nextPart({readData: '1/13'}, 13), '2/13');
	t.is(nextPart({readData: '13/13'}, 13), '1/13');
	t.is(nextPart({readData: '3/4'}, 13), '1/13', 'other parts than before');
	t.is(nextPart({readData: '1/1'}, 1), '1/1');
});
