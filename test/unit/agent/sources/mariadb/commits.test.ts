/** Commits are held while the dumps of several databases begin. The client is a shell that answers as the server would. */
import test from 'ava';
import {commitsOf} from '../../../../../agent/sources/mariadb/commits.ts';
import type {MariadbServer} from '../../../../../agent/sources/mariadb/server.ts';
import {explain, PinBlockedError, RunError} from '../../../../../base/errors.ts';
import {here} from '../../../../../base/here.ts';

const planned = (container: string) => ({name: 'x', kind: 'mariadb', container: {id: container}}) as never;

/** @param script reads SQL, a line at a time */
function serverOf(
	script: string,
	{flavour = 'mariadb', sessions = []}: {flavour?: string; sessions?: string[][]} = {},
): {server: MariadbServer; starts: () => number} {
	let starts = 0;
	const client: MariadbServer['client'] = async command => {
		starts++;
		return here({...command, argv: ['sh', '-c', script]});
	};
	const query = async () => sessions;
	const server = {flavour, where: 'in container `db`', programs: {client: 'mariadb', dump: 'mariadb-dump'}, client, query};
	return {server: server as unknown as MariadbServer, starts: () => starts};
}

const contextOf = () => {
	const told: string[] = [];
	const held: number[] = [];
	return {
		told,
		held,
		context: {
			signal: new AbortController().signal,
			tell: (event: {message?: string}) => void told.push(event.message ?? ''),
			outage: {onHeld: (ms: number) => void held.push(ms)},
		} as never,
	};
};

const answers = 'while read -r line; do case $line in *block_commit*) echo 1;; *) echo 2;; esac; done';

test('those who enter together are held by one session, until the last one leaves', async t => {
	const all = [planned('db'), planned('db'), planned('other')];
	const [one, two, alone] = all.map(each => commitsOf(each, all, 0));
	t.is(one, two);
	t.is(alone, undefined);
	const {server, starts} = serverOf(answers);
	const {context, held, told} = contextOf();
	await Promise.all([one?.hold(server, context), two?.hold(server, context)]);
	t.is(starts(), 1);
	await one?.release();
	t.deepEqual(held, []);
	await two?.release();
	t.is(held.length, 1);
	t.deepEqual(told, []);
	await one?.hold(server, context);
	t.is(starts(), 2, 'a further try of the moment holds them anew');
	await one?.release();
});

test('a lock that somebody has is another try of the moment, and the next one begins from nothing', async t => {
	const all = [planned('db'), planned('db')];
	const commits = commitsOf(all[0] as never, all, 0);
	const {server} = serverOf('read -r line; echo "ERROR 1205 (HY000): Lock wait timeout exceeded" >&2; exit 1', {
		sessions: [['12', 'app', 'localhost', 'Sleep', '61', '', '']],
	});
	const {context} = contextOf();
	const tries = await Promise.allSettled([commits?.hold(server, context), commits?.hold(server, context)]);
	for (const each of tries) {
		t.true(each.status === 'rejected' && each.reason instanceof PinBlockedError);
		t.regex(
			explain((each as PromiseRejectedResult).reason),
			/session 12 \(`app` at localhost, idle for 61 s\).*\(end that session \(`kill ID`\)\)$/,
		);
	}

	await commits?.hold(serverOf(answers).server, context);
	await commits?.release();
});

test('where nobody stands still, it is tried again, and no longer than a lock is waited for', async t => {
	const all = [planned('db'), planned('db')];
	const blocked = 'read -r line; echo "ERROR 1205 (HY000): Lock wait timeout exceeded" >&2; exit 1';
	const still = {onHeld() {}, isMoment: false};
	const context = {...(contextOf().context as object), outage: still} as never;
	const ended = serverOf(blocked);
	const commits = commitsOf(all[0] as never, all, 1000);
	await t.throwsAsync(async () => commits?.hold(ended.server, context), {instanceOf: RunError, message: /it was tried for 1 s/});
	const tries = ended.starts();
	t.true(tries > 1 && tries < 5, String(tries));
	const moment = {...(contextOf().context as object), outage: {...still, isMoment: true}} as never;
	await t.throwsAsync(async () => commits?.hold(ended.server, moment), {instanceOf: PinBlockedError});
	t.is(ended.starts(), tries + 1);
});

test('an account that may not hold commits dumps all the same, and it is said', async t => {
	const all = [planned('db'), planned('db')];
	const commits = commitsOf(all[0] as never, all, 0);
	const {server} = serverOf('read -r line; echo "ERROR 1227 (42000): Access denied; you need RELOAD" >&2; exit 1');
	const {context, told} = contextOf();
	await commits?.hold(server, context);
	await commits?.release();
	t.regex(told.join(), /each of an instant of its own.*RELOAD/);
});

test('what was held and went on before is an error: the databases may differ', async t => {
	const all = [planned('db'), planned('db')];
	const commits = commitsOf(all[0] as never, all, 0);
	const {server} = serverOf('read -r line; echo 1; echo "ERROR 2006 (HY000): Server has gone away" >&2; exit 1');
	const {context} = contextOf();
	await commits?.hold(server, context);
	await t.throwsAsync(async () => commits?.release(), {message: /gone away/});
});

test('MySQL: nothing is flushed while somebody is at a long statement, because everybody would wait for it', async t => {
	const all = [planned('db'), planned('db')];
	const commits = commitsOf(all[0] as never, all, 0);
	const {server, starts} = serverOf(answers, {flavour: 'mysql', sessions: [['7', 'report', '900']]});
	const {context} = contextOf();
	const error = await t.throwsAsync(async () => commits?.hold(server, context), {instanceOf: PinBlockedError});
	t.regex(explain(error), /session 7 \(`report`\) has been at one statement for 900 s.*\(end that session \(`kill ID`\)\)$/);
	t.is(starts(), 0);
});
