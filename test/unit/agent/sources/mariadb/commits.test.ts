/** Commits are held while the dumps of several databases begin. The client is a shell that answers as the server would. */
import test from 'ava';
import {commitsOf} from '../../../../../agent/sources/mariadb/commits.ts';
import type {MariadbServer} from '../../../../../agent/sources/mariadb/server.ts';
import {PinBlockedError} from '../../../../../base/errors.ts';
import {here} from '../../../../../base/here.ts';

const planned = (container: string) => ({name: 'x', kind: 'mariadb', container: {id: container}}) as never;

/** @param script reads SQL, a line at a time */
function serverOf(script: string): {server: MariadbServer; starts: () => number} {
	let starts = 0;
	const client: MariadbServer['client'] = async command => {
		starts++;
		return here({...command, argv: ['sh', '-c', script]});
	};
	const server = {flavour: 'mariadb', where: 'in container `db`', programs: {client: 'mariadb', dump: 'mariadb-dump'}, client};
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
	const [one, two, alone] = all.map(each => commitsOf(each, all));
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
	const commits = commitsOf(all[0] as never, all);
	const {server} = serverOf('read -r line; echo "ERROR 1205 (HY000): Lock wait timeout exceeded" >&2; exit 1');
	const {context} = contextOf();
	const tries = await Promise.allSettled([commits?.hold(server, context), commits?.hold(server, context)]);
	for (const each of tries) {
		t.true(each.status === 'rejected' && each.reason instanceof PinBlockedError);
	}

	await commits?.hold(serverOf(answers).server, context);
	await commits?.release();
});

test('an account that may not hold commits dumps all the same, and it is said', async t => {
	const all = [planned('db'), planned('db')];
	const commits = commitsOf(all[0] as never, all);
	const {server} = serverOf('read -r line; echo "ERROR 1227 (42000): Access denied; you need RELOAD" >&2; exit 1');
	const {context, told} = contextOf();
	await commits?.hold(server, context);
	await commits?.release();
	t.regex(told.join(), /each of an instant of its own.*RELOAD/);
});

test('what was held and went on before is an error: the databases may differ', async t => {
	const all = [planned('db'), planned('db')];
	const commits = commitsOf(all[0] as never, all);
	const {server} = serverOf('read -r line; echo 1; echo "ERROR 2006 (HY000): Server has gone away" >&2; exit 1');
	const {context} = contextOf();
	await commits?.hold(server, context);
	await t.throwsAsync(async () => commits?.release(), {message: /gone away/});
});
