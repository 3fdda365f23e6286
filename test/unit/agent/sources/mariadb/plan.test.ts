import test from 'ava';
import type {MariadbAnswer} from '../../../../../agent/sources/mariadb/ask.ts';
import {claimedData, mariadbSources} from '../../../../../agent/sources/mariadb/plan.ts';
import {collectRemarks} from '../../../../../agent/sources/remarks.ts';
import type {Container} from '../../../../../docker/container.ts';

const mount = (path: string) => ({type: 'volume', volume: path.slice(1), hostPath: '', path, readWrite: true}) as const;
const container = (state: string) =>
	({
		id: 'c',
		name: 'shop-db-1',
		image: 'mariadb:11.8',
		state,
		project: 'shop',
		mounts: [mount('/var/lib/mysql'), mount('/backups')],
	}) as unknown as Container;
const answer: MariadbAnswer = {
	databases: ['shop', 'wiki'],
	folders: ['/var/lib/mysql'],
	loose: new Map([['wiki', {count: 2, table: 'log', engine: 'MyISAM'}]]),
	user: 'keeper',
	lacking: new Map([['shop', {privileges: ['EVENT', 'SHOW VIEW'], grant: "grant EVENT, SHOW VIEW on `shop`.* to 'keeper'@'%'"}]]),
};

function plan(databases: 'all' | string[], {state = 'running', exclude = [] as string[]} = {}) {
	const remarks = collectRemarks();
	const scope = {container: container(state), policy: {databases, exclude}, answer, group: 'db/', prefix: 'holdfast.', remarks};
	const sources = mariadbSources({...scope, hasOthers: false, choosesMounts: false, grounds: {} as never});
	return {names: sources.map(({name}) => name), sources, remarks};
}

test('all databases, or those that are named', t => {
	t.deepEqual(plan('all').names, ['db/mariadb:shop', 'db/mariadb:wiki']);
	t.deepEqual(plan('all', {exclude: ['wiki']}).names, ['db/mariadb:shop']);
	t.deepEqual(plan(['shop']).names, ['db/mariadb:shop']);
	const {remarks} = plan(['shopp']);
	t.regex(remarks.problems.map(({message}) => message).join(), /got "shopp"/);
	t.regex(plan(['shop'], {exclude: ['x']}).remarks.problems[0]?.message ?? '', /exclude/);
});

test('tables without transactions are told with what mends it', t => {
	t.regex(plan('all').remarks.notes.join(), /"wiki".*2 tables.*"log".*MyISAM.*engine=InnoDB/);
	t.false(plan(['shop']).remarks.notes.join().includes('MyISAM'));
});

test('what the account may not dump is told with the statement that gives it', t => {
	t.regex(
		plan(['shop']).remarks.notes.join(),
		/"shop" will fail: `keeper` may not dump it: that takes EVENT and SHOW VIEW \(`grant EVENT, SHOW VIEW on `shop`\.\* to 'keeper'@'%'`\)/,
	);
	t.false(plan(['wiki']).remarks.notes.join().includes('grant'));
});

test('a server that somebody stopped rests, and one that does not come up is a problem', t => {
	t.deepEqual(plan('all', {state: 'exited'}).names, []);
	t.deepEqual(plan('all', {state: 'exited'}).remarks.problems, []);
	t.regex(plan('all', {state: 'restarting'}).remarks.problems[0]?.message ?? '', /does not come up/);
});

test('the data directory is dealt with, and no other mount', t => {
	const asked = {container: container('running'), policy: {databases: 'all' as const, exclude: []}};
	t.deepEqual(
		claimedData(asked, answer).map(({path}) => path),
		['/var/lib/mysql'],
	);
	t.deepEqual(
		claimedData(asked, {...answer, folders: ['/backups/data']}).map(({path, mount: held}) => `${held.path} ${path}`),
		['/backups /backups/data'],
	);
	t.deepEqual(claimedData({...asked, policy: undefined}, answer), []);
	t.deepEqual(
		plan(['shop']).sources[0]?.data?.map(({path}) => path),
		['/var/lib/mysql'],
	);
});
