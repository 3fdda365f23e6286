/** The shapes in which these programs stand in public Compose files, from the file to the plan: what is stored by them is a source here, or it is said. */
import test, {type ExecutionContext} from 'ava';
import {createOthers} from '../../../../../agent/plan/others.ts';
import {planTarget} from '../../../../../agent/plan/plan.ts';
import {discoverTargets} from '../../../../../agent/targets/discovery.ts';
import {dialectNames} from '../../../../../base/reading/values.ts';
import type {Engine} from '../../../../../docker/engine.ts';
import {containersOf} from '../../../../support/stack/compose-file.ts';

interface Seen {
	sources: string[];
	/** `service action`. */
	still: string[];
	schedule: string | undefined;
	keep: unknown;
	hooks: string[];
	notes: string;
	problems: string[];
}

/** By the name of the target. */
async function seen(files: Record<string, string>): Promise<Record<string, Seen>> {
	const all = Object.entries(files).map(([project, text]) => containersOf(project, text));
	const containers = all.flatMap(({containers}) => containers);
	const environments = Object.assign({}, ...all.map(each => each.environments)) as Record<string, Record<string, string>>;
	const inspect = async (id: string) => ({env: environments[id] ?? {}});
	const programs = await createOthers({inspect} as unknown as Engine, dialectNames)(containers);
	const targets = discoverTargets(containers, {dialects: dialectNames, programs});
	return Object.fromEntries(
		targets.map(target => {
			const {plan, problems} = planTarget({
				target,
				containers,
				answers: new Map(),
				defaults: {schedule: '0 3 * * *', lockTimeoutMs: 1000},
				prefix: 'holdfast.',
				dataRoot: '/var/lib/docker',
			});
			const seen: Seen = {
				sources: plan.sources.map(({name}) => name).toSorted(),
				still: plan.quiesce.map(({container, action}) => `${container.service} ${action}`).toSorted(),
				schedule: target.policy.schedule,
				keep: target.policy.keep,
				hooks: plan.hooks.map(({when, hook}) => `${when}: ${hook.argv.join(' ')}`),
				notes: [...plan.notes, ...target.members.flatMap(({translated = []}) => translated)].join('\n'),
				problems: [...target.problems, ...problems].map(({message}) => message),
			};
			return [target.name, seen];
		}),
	);
}

const assertNoProblems = (t: ExecutionContext, found: Record<string, Seen>) =>
	t.deepEqual(
		Object.values(found).flatMap(({problems}) => problems),
		[],
	);

test('offen: dumps of a database in a volume of their own are stored, its data folder is not', async t => {
	const found = await seen({
		shop: `
services:
  db:
    image: postgres:17
    volumes: [db_data:/var/lib/postgresql/data, db_dumps:/dumps]
    labels:
      - docker-volume-backup.archive-pre=/bin/sh -c 'pg_dump -U "$$POSTGRES_USER" -Fc -f /dumps/app.dump'
      - docker-volume-backup.exec-label=offsite
      - docker-volume-backup.copy-post=/bin/sh -c 'rm -f /dumps/*'
  backup:
    image: offen/docker-volume-backup:v2
    labels: ["docker-volume-backup.copy-post=/bin/sh -c 'rsync /archive x:'"]
    environment: {BACKUP_CRON_EXPRESSION: "0 30 2 * * ?", AWS_S3_BUCKET_NAME: b, NOTIFICATION_URLS: "gotify://canary"}
    volumes: ["db_dumps:/backup/dumps:ro", "/var/run/docker.sock:/var/run/docker.sock:ro", "./archive:/archive"]
volumes: {db_data: , db_dumps: }
`,
	});
	assertNoProblems(t, found);
	t.deepEqual(Object.keys(found), ['shop/db'], 'its own labels make no target of it');
	const {sources, hooks, schedule, notes} = found['shop/db'] as Seen;
	t.deepEqual(sources, ['volume:/dumps']);
	t.regex(hooks.join(), /before: \/bin\/sh -c pg_dump -U "\$POSTGRES_USER" -Fc/);
	t.is(schedule, '30 2 * * *', 'no seconds, and ? is any day');
	for (const said of [
		/`AWS_S3_BUCKET_NAME` is not heeded: restore points go to the repository/,
		/`NOTIFICATION_URLS` is not heeded: HOLDFAST_WEBHOOK_URL/,
		/without `BACKUP_RETENTION_DAYS` it keeps every archive/,
		/copy-post` is not run/,
	]) {
		t.regex(notes, said);
	}

	t.notRegex(notes, /canary/);
});

test('offen: folders that services only read, or that no service has, a folder above theirs, and who is stopped without being stored', async t => {
	const found = await seen({
		shop: `
services:
  web:
    image: nginx
    volumes: ["./site:/usr/share/nginx/html:ro", "./conf/web:/etc/nginx/conf.d:ro"]
  app:
    image: app
    volumes: ["./data/app:/data", "/media:/media"]
    labels: {docker-volume-backup.stop-during-backup: true}
  reader:
    image: app
    volumes: ["./data/app:/data:ro"]
  worker:
    image: app
    volumes: ["/mnt/queue:/queue"]
    labels: {docker-volume-backup.stop-during-backup: true}
  backup:
    image: ghcr.io/offen/docker-volume-backup:v2.43.0@sha256:1
    environment: [BACKUP_CRON_EXPRESSION=@every 6h, BACKUP_RETENTION_DAYS=30]
    volumes: ["./site:/backup/site:ro", "./data:/backup/data:ro", "./deploy:/backup/deploy:ro"]
`,
	});
	assertNoProblems(t, found);
	t.deepEqual(Object.keys(found), ['shop/app', 'shop/web', 'shop/worker']);
	t.deepEqual(found['shop/app']?.sources, ['volume:/data'], 'and no media');
	t.deepEqual(found['shop/app']?.still, ['app stop']);
	t.deepEqual(found['shop/web']?.sources, ['volume:/usr/share/nginx/html'], 'nobody else has it');
	t.is(found['shop/app']?.schedule, '0 */6 * * *');
	t.regex(
		found['shop/app']?.notes ?? '',
		/stores the bind mount of `?"?\/srv\/shop\/deploy`?"? .*which no service of the project has: nobody backs it up here/,
	);
	t.regex(
		found['shop/worker']?.notes ?? '',
		/none of its volumes is stored by `shop-backup-1`, and all that it may write is backed up here/,
	);
	t.notRegex(found['shop/app']?.notes ?? '', /none of its volumes/);
});

test('offen: one for all projects, in its own', async t => {
	const found = await seen({
		wiki: `
services:
  wiki:
    image: wiki
    volumes: ["wiki:/data"]
    labels: ["docker-volume-backup.stop-during-backup=weekly"]
`,
		backup: `
services:
  backup:
    image: offen/docker-volume-backup:latest
    environment: {BACKUP_CRON_EXPRESSION: "0 4 * * 0", BACKUP_STOP_DURING_BACKUP_LABEL: weekly}
    volumes: ["wiki:/backup/wiki:ro"]
volumes: {wiki: {external: true, name: wiki_wiki}}
`,
	});
	assertNoProblems(t, found);
	t.deepEqual(Object.keys(found), ['wiki/wiki']);
	t.is(found['wiki/wiki']?.schedule, undefined);
	t.regex(
		found['wiki/wiki']?.notes ?? '',
		/container `backup-backup-1` \(project `backup`\), and which volumes it has, is not heeded: it is of another project/,
	);
});

test('stack-back: a refusal counts more than a filter, who is dumped is not stopped, and what is only read is said', async t => {
	const found = await seen({
		cloud: `
services:
  refused:
    image: app
    volumes: ["./a:/a"]
    labels: {stack-back.volumes: false, stack-back.volumes.include: a}
  db:
    image: mariadb:11
    volumes: ["db:/var/lib/mysql"]
    labels: {stack-back.mariadb: true, stack-back.volumes.stop-during-backup: true}
  files:
    image: ocis
    volumes: ["ocis:/data", "./theme:/theme:ro", "/etc/localtime:/etc/localtime:ro"]
    labels: {stack-back.volumes: "True", stack-back.volumes.stop-during-backup: "true", stack-back.hooks.pre.1.cmd: "occ maintenance"}
  both:
    image: app
    volumes: ["media:/media", "./conf:/conf:ro"]
    labels: {stack-back.volumes: true, stack-back.volumes.include: "media,conf", stack-back.volumes.exclude: media}
  backup:
    image: ghcr.io/lawndoc/stack-back:v1.5.3
    environment: {RESTIC_REPOSITORY: /srv/repo, KEEP_DAILY: "9", CRON_SCHEDULE: "17 3 * * *", SWARM_MODE: "true"}
volumes: {db: , ocis: , media: }
`,
	});
	t.deepEqual(Object.keys(found), ['cloud/both', 'cloud/db', 'cloud/files']);
	t.deepEqual(found['cloud/db']?.still, []);
	t.deepEqual(found['cloud/files']?.sources, ['volume:/data']);
	t.deepEqual(found['cloud/files']?.still, ['files stop']);
	const notes = found['cloud/files']?.notes ?? '';
	t.regex(notes, /the mount "\/theme" .* is left out: it can only be read/);
	t.deepEqual(found['cloud/files']?.hooks, ['before: occ maintenance']);
	t.regex(notes, /daily=9,weekly=4/);
	t.regex(notes, /`SWARM_MODE` is not heeded/);
	t.deepEqual(found['cloud/both']?.sources, ['volume:/conf', 'volume:/media']);
});

test('nautical: what lies below its source, by the names that it leaves out, and a member of a group without data', async t => {
	const found = await seen({
		home: `
services:
  sonarr:
    image: sonarr
    container_name: sonarr
    volumes: ["/opt/appdata/sonarr:/config", "/media:/media"]
    labels: {nautical-backup.enable: true}
  plex:
    image: plex
    container_name: plex
    volumes: ["/opt/appdata/plex:/config"]
    labels: ["nautical-backup.enable=true"]
  pihole:
    image: pihole
    container_name: pihole
    volumes: ["/opt/appdata/pihole:/etc/pihole"]
    labels: ["nautical-backup.enable=true"]
  immich-server:
    image: immich
    container_name: immich_server
    labels: [nautical-backup.group=immich, nautical-backup.source-dir-required=false]
  immich-redis:
    image: redis
    container_name: immich_redis
    volumes: ["/opt/appdata/immich/redis:/data"]
    labels: [nautical-backup.group=immich, nautical-backup.override-source-dir=immich/redis]
  nautical:
    image: minituff/nautical-backup:2
    environment: {SKIP_CONTAINERS: "plex, other", SKIP_STOPPING: pihole, NUMBER_OF_BACKUPS_TO_KEEP: "5", REQUIRE_LABEL: "true"}
    volumes: ["/opt/appdata:/app/source", "/mnt/backup:/app/destination"]
`,
	});
	assertNoProblems(t, found);
	t.deepEqual(Object.keys(found), ['home/immich', 'home/pihole', 'home/sonarr']);
	t.deepEqual(found['home/sonarr']?.sources, ['volume:/config'], 'and no media');
	const still = (name: string) => (found[name]?.still ?? []).filter(each => !each.startsWith('nautical '));
	t.deepEqual(still('home/sonarr'), ['sonarr stop']);
	t.deepEqual(still('home/pihole'), ['pihole pause']);
	t.deepEqual(found['home/immich']?.sources, ['immich-redis/volume:/data']);
	t.deepEqual(still('home/immich'), ['immich-redis stop']);
	t.regex(found['home/sonarr']?.notes ?? '', /holdfast\.keep=last=5/);
});
