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

interface Asked {
	client: Place;
	/** Arguments of every client program, for the database in question: each may be pooled otherwise. */
	connection: readonly string[];
	where: string;
}

/** No error where nobody is let in: who asks next says why. */
export async function assertNotPooled({client, connection, where}: Asked): Promise<void> {
	const mark = randomBytes(8).toString('hex');
	const ask = async (...statements: string[]) => {
		const commands = statements.flatMap(sql => ['-c', sql]);
		return output(client, {argv: ['psql', '-X', '-A', '-t', '-q', ...connection, ...commands]});
	};

	const marked = await ask(
		...Array.from({length: transactions}, () => `select pg_backend_pid() from set_config('holdfast.mark', '${mark}', false)`),
	);
	if (marked.exitCode !== 0) {
		return;
	}

	const sessions = new Set(marked.stdout.split('\n').filter(Boolean));
	const seen = sessions.size > 1 ? mark : (await ask(`select current_setting('holdfast.mark', true)`)).stdout.trim();
	if (seen === mark) {
		throw new RunError(
			`the server ${where} is a pooler that hands sessions on between transactions: what a dump sets would be in the application's sessions`,
			{hint: `name the server itself (\`${label('postgres.host')}\`), or label its container`},
		);
	}
}
