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
	/** Where several of its containers are in a project: whether it is this one that a container's labels speak of. */
	isMeant: (container: Pick<Container, 'labels'>) => boolean;
}

const images: Readonly<Record<DialectName, RegExp>> = {
	offen: /(?:^|\/)offen\/docker-volume-backup(?:[:@]|$)/,
	'stack-back': /(?:^|\/)(?:stack-back|restic-compose-backup)(?:[:@]|$)/,
	nautical: /(?:^|\/)nautical-backup(?:[:@]|$)/i,
};

export const isProgram = (name: DialectName, image: string): boolean => images[name].test(image);

/** Further sets of variables, each with a schedule. */
const schedules = '/etc/dockervolumebackup/conf.d';

const usually = (env: Own['env'], name: string, usual: string) => env[name]?.trim() || usual;

/** `@daily` and its like are read by both. Seconds, which some have in front, are not. */
const cron = (line: string) => (/^(?:\S+\s+){5}\S+$/.test(line.trim()) ? line.trim().split(/\s+/).slice(1).join(' ') : line.trim());

const readers: Readonly<Record<DialectName, (own: Own) => Settings>> = {
	offen({env, mounts}) {
		const days = env.BACKUP_RETENTION_DAYS;
		const sources = usually(env, 'BACKUP_SOURCES', '/backup');
		const stopLabel = usually(env, 'BACKUP_STOP_DURING_BACKUP_LABEL', usually(env, 'BACKUP_STOP_CONTAINER_LABEL', 'true'));
		const hasSchedules = mounts.some(({path}) => path.startsWith(schedules));
		const lost = ['BACKUP_EXCLUDE_REGEXP', 'GPG_PASSPHRASE', 'GPG_PUBLIC_KEY_RING', 'AGE_PASSPHRASE', 'AGE_PUBLIC_KEYS'];
		return {
			variables: [
				{name: 'HOLDFAST_SCHEDULE', value: cron(usually(env, 'BACKUP_CRON_EXPRESSION', '@daily')), because: 'BACKUP_CRON_EXPRESSION'},
				...(days !== undefined && /^\d{1,5}$/.test(days) && Number(days) > 0
					? [{name: 'HOLDFAST_KEEP', value: `within=${Number(days)}d`, because: 'BACKUP_RETENTION_DAYS'}]
					: []),
			],
			lost: [
				...lost.flatMap(name =>
					env[name] || env[`${name}_FILE`]
						? [
								`\`${name}\` has no counterpart${name.startsWith('BACKUP_EXCLUDE') ? `: \`${label('exclude')}\` takes patterns` : ': repositories are encrypted'}`,
							]
						: [],
				),
				...(hasSchedules ? [`what is in \`${schedules}\` is not read: \`${label('schedule')}\` says it at each service`] : []),
			],
			all: false,
			storages: mounts.filter(({path}) => path === sources || path.startsWith(`${sources}/`)),
			isMeant: ({labels}) => labels['docker-volume-backup.stop-during-backup'] === stopLabel,
		};
	},
	'stack-back'({env}) {
		const keep = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'].map((unit, index) => {
			const count = usually(env, `RESTIC_KEEP_${unit}`, ['7', '4', '12', '3'][index] ?? '0');
			return /^[1-9]\d{0,4}$/.test(count) ? `${unit.toLowerCase()}=${count}` : undefined;
		});
		const shared = ['RESTIC_REPOSITORY', 'RESTIC_PASSWORD'].filter(name => env[name]);
		const binds = isYes(env.EXCLUDE_BIND_MOUNTS)
			? [
					`\`EXCLUDE_BIND_MOUNTS\` is not heeded: \`${label('volumes')}\` names what is backed up of a service, and folders of the host are with it by default`,
				]
			: [];
		return {
			variables: [
				{name: 'HOLDFAST_SCHEDULE', value: cron(usually(env, 'CRON_SCHEDULE', '0 2 * * *')), because: 'CRON_SCHEDULE'},
				{name: 'HOLDFAST_KEEP', value: keep.filter(Boolean).join(','), because: 'RESTIC_KEEP_…'},
			],
			lost: [
				...binds,
				...(shared.length === 0
					? []
					: [
							`\`${shared.join('`, `')}\` may be given to Holdfast as they are: both can use one repository, and neither touches what the other filed (\`holdfast points --foreign\` lists it)`,
						]),
			],
			all: isYes(env.AUTO_BACKUP_ALL),
			storages: undefined,
			isMeant: () => true,
		};
	},
	nautical({env}) {
		const skipped = ['SKIP_CONTAINERS', 'SKIP_STOPPING'].filter(name => env[name]);
		return {
			variables: [{name: 'HOLDFAST_SCHEDULE', value: cron(usually(env, 'CRON_SCHEDULE', '0 4 * * *')), because: 'CRON_SCHEDULE'}],
			lost: skipped.map(
				name => `\`${name}\` is not heeded: \`${label('enable')}=false\` and \`${label('quiesce')}\` say it at each service`,
			),
			all: !isYes(env.REQUIRE_LABEL),
			storages: undefined,
			isMeant: () => true,
		};
	},
};

const isYes = (value: string | undefined): boolean => /^(?:true|1|yes)$/i.test(value?.trim() ?? '');

export const settingsOf = (name: DialectName, own: Own): Settings => readers[name](own);
