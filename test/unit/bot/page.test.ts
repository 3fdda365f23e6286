import test from 'ava';
import {fleetPage, summaryOf} from '../../../bot/page.ts';
import {statusView} from '../../support/doubles/fake-agent.ts';

const at = '2026-11-03T11:00:00.000Z';
const now = Date.parse('2026-11-03T12:00:00Z');
const host = {url: 'http://a', late: 1, gone: 1, problems: 0, bytes: 5000};

test('every host is shown: what is late, gone, and who does not answer; and names are no HTML', async t => {
	const views = [
		{
			...host,
			host: 'alpha',
			version: '1.0.0',
			targets: [statusView('shop/db', {lastSuccess: {run: 'r', at, bytes: 5000}, late: at}), statusView('<b>/app', {goneSince: at})],
		},
		{...host, host: 'beta', error: 'nobody <is> there', late: 0, gone: 0, bytes: 0, targets: []},
	];
	const text = String(await fleetPage(views, now));
	t.regex(text, /alpha.*shop\/db.*late.*5 kB.*gone.*beta.*does not answer: nobody &lt;is&gt; there/s);
	t.notRegex(text, /<b>/);
	const twins = views.map(view => ({...view, agent: 'a1'}));
	t.regex(String(await fleetPage(twins, now)), /alpha: it is the same agent as beta/);
	t.is(summaryOf(views), '2 hosts, 1 of them without an answer; 2 targets, 5 kB; 1 late, 1 gone, 0 with problems');
});
