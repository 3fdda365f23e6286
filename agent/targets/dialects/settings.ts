/** What the container of another program says in its environment and by its mounts → our variables, and labels of others. Secrets are named, never shown. Pure. */
import {label} from '../../../base/label.ts';
import type {DialectName} from '../../../base/reading/values.ts';
import type {Container, Mount} from '../../../docker/container.ts';
import type {Meant} from './dialect.ts';

interface Own {
	/** The name of its image. */
	image: string;
	env: Readonly<Record<string, string>>;
	mounts: readonly Mount[];
}

export interface Settings {
	/** Our variables, and theirs that say so. */
	variables: readonly Meant[];
	lost: readonly string[];
	/** Every container is meant that no label excludes. */
	all: boolean;
	/** The storages that it backs up, by where they come from; undefined: labels say which. */
	storages: readonly Mount[] | undefined;
	/** Whoever has one of them is meant, whatever its labels say; else these say only what is stored of those that are. */
	takesAll: boolean;
	/** Containers that it names in its environment: left out, and not stopped. */
	skipped?: Named | undefined;
	unstopped?: Named | undefined;
	/** Where several of its containers are in a project: whether it is this one that a container's labels speak of. */
	isMeant: (container: Pick<Container, 'labels'>) => boolean;
}

interface Named {
	names: readonly string[];
	because: string;
}

const images: Readonly<Record<DialectName, RegExp>> = {
	// jareware's and futurice's are what it goes on from; others have it built anew under their own names.
	offen: /(?:^|\/)docker-volume-backup(?:[:@]|$)/,
	'stack-back': /(?:^|\/)(?:stack-back|restic-compose-backup)(?:[:@]|$)/,
	nautical: /(?:^|\/)nautical-backup(?:[:@]|$)/i,
};

export const isProgram = (name: DialectName, image: string): boolean => images[name].test(image);

/** Further sets of variables, each with a schedule. */
const schedules = '/etc/dockervolumebackup/conf.d';

const usually = (env: Own['env'], name: string, usual: string) => env[name]?.trim() || usual;

/**
 * `@daily` and its like are read by both. Seconds, which some have in front, are not; `?` is any day; a whole part of a day or an hour (`@every 6h`) is as
 * often on the clock.
 */
function cron(line: string): string {
	const fields = line.trim().split(/\s+/);
	const [, count, unit] = /^@every\s+(\d+)([hm])(?:0m)?(?:0s)?$/.exec(fields.join(' ')) ?? [];
	const every = Number(count);
	if (unit === 'h' && every > 0 && 24 % every === 0) {
		return `0 ${every === 24 ? '0' : `*/${every}`} * * *`;
	}

	if (unit === 'm' && every > 0 && 60 % every === 0) {
		return every === 60 ? '0 * * * *' : `*/${every} * * * *`;
	}

	return (fields.length === 6 ? fields.slice(1) : fields).map(field => (field === '?' ? '*' : field)).join(' ');
}

const listed = (text: string | undefined): string[] => (text ?? '').split(',').flatMap(part => part.trim() || []);

const given = (env: Own['env'], ...names: string[]): string[] => names.filter(name => env[name]?.trim() || env[`${name}_FILE`]);

const named = (names: readonly string[]): string => names.map(name => `\`${name}\``).join(', ');

const said = (names: readonly string[], what: string): string[] =>
	names.length === 0 ? [] : [`${named(names)} ${names.length === 1 ? 'is' : 'are'} not heeded: ${what}`];

const notified = 'HOLDFAST_WEBHOOK_URL, HOLDFAST_SMTP_URL and the bot tell how runs end (docs/notifications.md)';

/** One of each of its backends. */
const destinations = [
	'AWS_S3_BUCKET_NAME',
	'WEBDAV_URL',
	'SSH_HOST_NAME',
	'AZURE_STORAGE_CONTAINER_NAME',
	'DROPBOX_REFRESH_TOKEN',
	'GOOGLE_DRIVE_CREDENTIALS_JSON',
];

const readers: Readonly<Record<DialectName, (own: Own) => Settings>> = {
	offen({env, mounts}) {
		const days = env.BACKUP_RETENTION_DAYS?.trim() ?? '';
		const sources = usually(env, 'BACKUP_SOURCES', '/backup');
		const stopLabel = usually(env, 'BACKUP_STOP_DURING_BACKUP_LABEL', usually(env, 'BACKUP_STOP_CONTAINER_LABEL', 'true'));
		const hasSchedules = mounts.some(({path}) => path.startsWith(schedules));
		const keeps = /^\d{1,5}$/.test(days) && Number(days) > 0;
		return {
			variables: [
				{name: 'HOLDFAST_SCHEDULE', value: cron(usually(env, 'BACKUP_CRON_EXPRESSION', '@daily')), because: 'BACKUP_CRON_EXPRESSION'},
				...(keeps ? [{name: 'HOLDFAST_KEEP', value: `within=${Number(days)}d`, because: 'BACKUP_RETENTION_DAYS'}] : []),
			],
			lost: [
				...given(env, 'BACKUP_EXCLUDE_REGEXP').map(name => `\`${name}\` has no counterpart: \`${label('exclude')}\` takes patterns`),
				...given(env, 'GPG_PASSPHRASE', 'GPG_PUBLIC_KEY_RING', 'AGE_PASSPHRASE', 'AGE_PUBLIC_KEYS').map(
					name => `\`${name}\` has no counterpart: repositories are encrypted`,
				),
				...said(
					given(env, ...destinations),
					'restore points go to the repository of Holdfast, and to the copies that its configuration names (docs/copies.md)',
				),
				...said(given(env, 'NOTIFICATION_URLS', 'EMAIL_NOTIFICATION_RECIPIENT'), notified),
				...(keeps || hasSchedules
					? []
					: [
							`without \`BACKUP_RETENTION_DAYS\` it keeps every archive: here \`${label('keep')}\`, or else HOLDFAST_KEEP, says what is kept`,
						]),
				...(hasSchedules ? [`what is in \`${schedules}\` is not read: \`${label('schedule')}\` says it at each service`] : []),
			],
			all: false,
			storages: mounts.filter(({path}) => path === sources || path.startsWith(`${sources}/`)),
			takesAll: true,
			isMeant: ({labels}) => labels['docker-volume-backup.stop-during-backup'] === stopLabel,
		};
	},
	'stack-back'({env}) {
		const units = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'];
		const keep = units.map((unit, index) => {
			const count = usually(env, `RESTIC_KEEP_${unit}`, usually(env, `KEEP_${unit}`, ['7', '4', '12', '3'][index] ?? '0'));
			return /^[1-9]\d{0,4}$/.test(count) ? `${unit.toLowerCase()}=${count}` : undefined;
		});
		const shared = given(env, 'RESTIC_REPOSITORY', 'RESTIC_PASSWORD');
		const wide = ['INCLUDE_ALL_COMPOSE_PROJECTS', 'SWARM_MODE'].filter(name => isYes(env[name]));
		return {
			variables: [
				{name: 'HOLDFAST_SCHEDULE', value: cron(usually(env, 'CRON_SCHEDULE', '0 2 * * *')), because: 'CRON_SCHEDULE'},
				{name: 'HOLDFAST_KEEP', value: keep.filter(Boolean).join(','), because: 'RESTIC_KEEP_…'},
				...(env.MAINTENANCE_SCHEDULE?.trim()
					? [{name: 'HOLDFAST_PRUNE_SCHEDULE', value: cron(env.MAINTENANCE_SCHEDULE), because: 'MAINTENANCE_SCHEDULE'}]
					: []),
			],
			lost: [
				...said(
					['EXCLUDE_BIND_MOUNTS'].filter(name => isYes(env[name])),
					`\`${label('volumes')}\` names what is backed up of a service, and folders of the host are with it by default`,
				),
				...said(wide, 'what stands in its environment counts for its own project; labels count in every one'),
				...said(given(env, 'EMAIL_HOST', 'DISCORD_WEBHOOK'), notified),
				...(shared.length === 0
					? []
					: [
							`${named(shared)} may be given to Holdfast as they are: both can use one repository, and neither touches what the other filed (\`holdfast points --foreign\` lists it)`,
						]),
			],
			all: isYes(env.AUTO_BACKUP_ALL) || isYes(env.INCLUDE_ALL_VOLUMES),
			storages: undefined,
			takesAll: false,
			isMeant: () => true,
		};
	},
	nautical({env, mounts}) {
		const source = usually(env, 'SOURCE_LOCATION', '/app/source');
		const last = env.NUMBER_OF_BACKUPS_TO_KEEP?.trim() ?? '';
		return {
			variables: [
				...(/^(?:false|0|no)$/i.test(env.CRON_SCHEDULE_ENABLED?.trim() ?? '')
					? []
					: [{name: 'HOLDFAST_SCHEDULE', value: cron(usually(env, 'CRON_SCHEDULE', '0 4 * * *')), because: 'CRON_SCHEDULE'}]),
				...(/^[1-9]\d{0,4}$/.test(last) ? [{name: 'HOLDFAST_KEEP', value: `last=${last}`, because: 'NUMBER_OF_BACKUPS_TO_KEEP'}] : []),
			],
			lost: [
				...said(
					given(env, 'ADDITIONAL_FOLDERS', 'OVERRIDE_SOURCE_DIR'),
					`what a container may write of the folders that it has at \`${source}\` is backed up, and nothing beside it`,
				),
				...said(given(env, 'SECONDARY_DEST_DIRS'), 'copies are named by the configuration of Holdfast (docs/copies.md)'),
				...said(
					given(env, 'PRE_BACKUP_EXEC', 'POST_BACKUP_EXEC'),
					`\`${label('before')}\` and \`${label('after')}\` run in the service's own container`,
				),
				...said(given(env, 'RSYNC_CUSTOM_ARGS'), `\`${label('exclude')}\` takes patterns`),
			],
			all: !isYes(env.REQUIRE_LABEL),
			storages: mounts.filter(({path}) => path === source || path.startsWith(`${source}/`)),
			takesAll: false,
			skipped: {names: listed(env.SKIP_CONTAINERS), because: 'SKIP_CONTAINERS'},
			unstopped: {names: listed(env.SKIP_STOPPING), because: 'SKIP_STOPPING'},
			isMeant: () => true,
		};
	},
};

const isYes = (value: string | undefined): boolean => /^(?:true|1|yes)$/i.test(value?.trim() ?? '');

export const settingsOf = (name: DialectName, own: Own): Settings => readers[name](own);
