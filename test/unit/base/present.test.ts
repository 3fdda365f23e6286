import test from 'ava';
import {presentOf} from '../../../base/present.ts';
import {statusView} from '../../support/doubles/fake-agent.ts';

const now = Date.parse('2026-11-03T12:00:00Z');
const all = statusView('shop/db', {
	goneSince: '2026-11-03T09:00:00Z',
	problems: [{message: 'it has no place'}],
	running: 'r1',
	waitsFor: 'shop/app',
	movedTo: {host: 'nas-2', agent: 'a2', at: '2026-11-03T09:00:00Z'},
	servedBy: 'shop-holdfast-1',
});

test('of all that could be said of a target, what matters most is', t => {
	const {goneSince: _, ...here} = all;
	const {waitsFor: __, ...first} = here;
	t.deepEqual(presentOf(all, {now, problems: 'problems'}), {text: 'gone 3 h ago', isWrong: true});
	t.deepEqual(presentOf(here, {now, problems: 'problems'}), {text: 'problems', isWrong: true});
	t.deepEqual(presentOf({...here, problems: []}, {now, problems: 'problems'}), {text: 'run r1, waits for shop/app', isWrong: false});
	t.deepEqual(presentOf(here, {now}), {text: 'run r1, waits for shop/app', isWrong: false}, 'problems are said elsewhere');
	t.deepEqual(presentOf(first, {now}), {text: 'run r1', isWrong: false});
	t.deepEqual(presentOf({...first, running: null}, {now}), {text: 'moved to host nas-2', isWrong: false});
	t.deepEqual(presentOf(statusView('shop/db', {servedBy: 'shop-holdfast-1'}), {now}), {text: 'served by shop-holdfast-1', isWrong: false});
	t.is(presentOf(statusView('shop/db'), {now, problems: 'problems'}), undefined);
});
