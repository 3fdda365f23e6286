/** A database is restored into a new server in a scratch container of the target's own image: the same programs, nothing of the target's data. */
import {lastLines, output} from '../../../base/command.ts';
import {RunError} from '../../../base/errors.ts';
import type {Container} from '../../../docker/container.ts';
import {type ScratchWorker, scratchFolder} from '../../../docker/worker.ts';
import {parseSource} from '../../repository/names.ts';
import {assertRoom, type DrillContext, type Drilling, type DrillSource} from '../drilling.ts';
import {dumpToFile} from '../feed.ts';
import {type MariadbDetails, mariadbDetails} from './details.ts';
import {mariadbRestoring} from './restore.ts';
import {makeZones} from './schedule.ts';
import {connectMariadb} from './server.ts';

/** `sh -c SCRIPT sh FOLDER LOWER_CASE KEYS ENCRYPTS`. The server is thrown away: nothing in it needs to outlive a crash. Its root may do all that it wants in its folder, and nothing else. */
const start = `umask 077; folder=$1; mkdir "$folder"; cd "$folder" || exit
server=$(command -v mariadbd || command -v mysqld) || { echo 'the image has no mariadbd' >&2; exit 1; }
keys=$3 encrypts=$4
set -- --no-defaults --datadir="$folder/data" --user=root --lower-case-table-names="$2" --skip-log-bin
if install=$(command -v mariadb-install-db || command -v mysql_install_db); then
	"$install" "$@" --auth-root-authentication-method=normal --skip-test-db --force >install.log 2>&1
else
	"$server" "$@" --initialize-insecure >install.log 2>&1
fi || { tail -n 5 install.log >&2; exit 1; }
if [ -n "$keys" ]; then
	for key in $keys; do printf '%s;%s\\n' "$key" "$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \\n')"; done >keys
	set -- "$@" --plugin-load-add=file_key_management --loose-file-key-management-filename="$folder/keys" --innodb-encrypt-tables="$encrypts"
fi
"$server" "$@" --socket="$folder/server.sock" --skip-networking --innodb-flush-log-at-trx-commit=0 --max-allowed-packet=1G --event-scheduler=OFF >server.log 2>&1 </dev/null &
for attempt in $(seq 600); do
	[ -S server.sock ] && exit 0
	kill -0 "$!" 2>/dev/null || break
	sleep 0.1
done
tail -n 5 server.log >&2; exit 1`;

/** Of points that do not say which ones their tables have. */
const usualKeys = [1, 2, 3, 4, 5, 6, 7, 8, 9];

export function mariadbDrilling({name, stored, image, drillSql}: DrillSource, context: DrillContext, index: number): Drilling {
	const {signal, tell} = context;
	const database = parseSource(name).name;
	const details = mariadbDetails.parse(stored.details);

	return {
		name,
		async rehearse() {
			const worker = await context.scratch(image, {});
			try {
				await assertRoom(worker.run, scratchFolder, Math.max(details.databaseSize, stored.bytes), signal);
				const container = await startServer(worker, image, details);
				const planned = {name, container, kind: 'mariadb', database, access: {user: 'root'}} as const;
				await makeZones(await connectMariadb(context, container, planned.access), details.schedule.timeZones);
				const restoring = mariadbRestoring({...planned, target: context.target, stored, drillSql}, context, {index, isScratch: true});
				await restoring.load().catch(async (error: unknown) => {
					signal.throwIfAborted();
					// What the repository no longer holds whole fails the loading in odd words: its own are better.
					await dumpToFile(context, {snapshot: stored.snapshot, path: stored.path, file: '/dev/null'});
					throw error;
				});
				tell({type: 'step', step: 'check', subject: name});
				const found = await restoring.check();
				await restoring.keep();
				await restoring.swap();
				const {tables} = details.encryption;
				return tables === 0
					? found
					: [
							...found,
							`${tables} encrypted ${tables === 1 ? 'table' : 'tables'}, with keys of the rehearsal's own: the server's are in no point`,
						];
			} finally {
				// What cannot be removed now is tried again at the end of the run, which says so.
				await worker.dismiss().catch(() => {});
			}
		},
	};
}

async function startServer(
	{id, name, run}: ScratchWorker,
	image: string,
	{lowerCase, flavour, encryption: {keys, isDefault}}: MariadbDetails,
): Promise<Container> {
	const {exitCode, stderr, stdout} = await output(run, {
		argv: [
			...(['sh', '-c', start, 'sh', `${scratchFolder}/server`, String(lowerCase)] as const),
			flavour === 'mariadb' ? [...new Set([...usualKeys, ...keys])].join(' ') : '',
			isDefault ? 'ON' : 'OFF',
		],
		user: '0',
	});
	if (exitCode !== 0) {
		throw new RunError(`no server starts in a scratch container of ${image}: ${lastLines(stderr || stdout)}`);
	}

	return {id, name, image, imageId: image, state: 'running', createdAt: Date.now(), dependsOn: [], labels: {}, mounts: []};
}
