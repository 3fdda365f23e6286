/**
 * Whether a server hands sessions on between transactions, as poolers do in transaction mode: then what a session sets is what the application's next one has, an empty `search_path` before
 * all (https://github.com/pgbouncer/pgbouncer/issues/452). Found out by a setting of a name that nobody else has.
 */
import {randomBytes} from 'node:crypto';
import {output, type Place} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import {label} from '../../../base/label.ts';

/** A busy pooler is given away by the first transactions that are not of one session; an idle one gives the session of the first program to the second. */
const transactions = 10;

/** While others are at work in between, the second program may get another session than the first, which goes on without it. */
const tries = 5;

interface Asked {
	client: Place;
	/** Arguments of every client program, for the database in question: each may be pooled otherwise. */
	connection: readonly string[];
	where: string;
}

/**
 * @returns whether it is known. Where nobody is let in, it is not: who asks next says why, or is let in by then
 * @throws {RunError}
 */
export async function assertNotPooled({client, connection, where}: Asked): Promise<boolean> {
	const ask = async (sql: string) => {
		const commands = Array.from({length: transactions}, () => ['-c', sql]).flat();
		return output(client, {argv: ['psql', '-X', '-A', '-t', '-q', ...connection, ...commands]});
	};

	for (let count = 0; count < tries; count++) {
		const found = await findPooling(ask);
		if (found === 'handed on') {
			throw new RunError(
				`the server ${where} is a pooler that hands sessions on between transactions: what a dump sets would be in the application's sessions`,
				{hint: `name the server itself (\`${label('postgres.host')}\`), or label its container`},
			);
		}

		if (found !== 'not known') {
			return found === 'its own';
		}
	}

	return false;
}

/** `its own`: the session ended with the program, or came back without what it had set. */
async function findPooling(
	ask: (sql: string) => Promise<{exitCode: number; stdout: string}>,
): Promise<'handed on' | 'its own' | 'not known' | 'not let in'> {
	const mark = randomBytes(8).toString('hex');
	const marked = await ask(`select pg_backend_pid() from set_config('holdfast.mark', '${mark}', false)`);
	if (marked.exitCode !== 0) {
		return 'not let in';
	}

	const [session = '0', ...others] = new Set(marked.stdout.split('\n').filter(Boolean));
	if (others.length > 0) {
		return 'handed on';
	}

	const seen = await ask(
		`select concat_ws(' ', pg_backend_pid(), exists (select from pg_stat_activity where pid = ${Number(session)}), current_setting('holdfast.mark', true))`,
	);
	if (seen.exitCode !== 0) {
		return 'not let in';
	}

	const answers = seen.stdout.split('\n').filter(Boolean);
	if (answers.some(answer => answer.endsWith(` ${mark}`))) {
		return 'handed on';
	}

	return answers.every(answer => answer.startsWith(`${session} `) || answer.split(' ')[1] === 'f') ? 'its own' : 'not known';
}
