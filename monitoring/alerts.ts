/** Every alert, once: the rules of Prometheus and of Grafana are both made of this table. `npm run monitoring` writes them. */

import {allowedAge} from './allowed-age.ts';

export interface Alert {
	name: string;
	/** PromQL; each series that it yields is an alert. */
	expr: string;
	/** How long it must hold before people are told. */
	for: string;
	severity: 'critical' | 'warning' | 'info';
	/** One line. `{{ $labels.target }}` is filled in. */
	summary: string;
	/** What it means, and what to do first. */
	description: string;
}

/** Where each alert is explained; the page has a heading for each. */
export const runbook = ({name}: Pick<Alert, 'name'>): string => `docs/alerts.md#${name.toLowerCase()}`;

const perTarget = 'on (job, instance, target)';

/** Neither late nor partial is what only somebody stopped: that was told when it began. */
const rested = `time() - holdfast_last_rested_timestamp_seconds <= ${perTarget} ${allowedAge('backup')}`;

/** An operation that has been due for longer than its schedule takes, and had no success as recent as that: perhaps none ever. */
const stale = (operation: string) =>
	`time() - holdfast_scheduled_since_timestamp_seconds{operation="${operation}"} > ${allowedAge(operation)} unless time() - holdfast_run_last_success_timestamp_seconds{operation="${operation}"} <= ${allowedAge(operation)}`;

const lastWas = (operation: string, outcome: string) => `holdfast_last_run_outcome{operation="${operation}",outcome="${outcome}"} == 1`;

export const alerts: readonly Alert[] = [
	{
		name: 'HoldfastBackupStale',
		expr: `time() - holdfast_last_success_timestamp_seconds > ${perTarget} ${allowedAge('backup')} unless ${perTarget} ${rested}`,
		for: '5m',
		severity: 'critical',
		summary: '{{ $labels.target }} has no recent backup',
		description:
			'The last successful backup is older than the schedule of the target allows. `holdfast status` says what went wrong since.',
	},
	{
		name: 'HoldfastBackupNeverSucceeded',
		expr: `time() - holdfast_first_seen_timestamp_seconds > ${perTarget} ${allowedAge('backup')} unless ${perTarget} holdfast_last_success_timestamp_seconds unless ${perTarget} ${rested}`,
		for: '5m',
		severity: 'critical',
		summary: '{{ $labels.target }} was never backed up',
		description:
			'The target has been known for longer than its schedule takes, and no backup of it ever succeeded. `holdfast status` says why.',
	},
	{
		name: 'HoldfastBackupFailed',
		expr: lastWas('backup', 'failed'),
		for: '0m',
		severity: 'critical',
		summary: 'The last backup of {{ $labels.target }} failed',
		description:
			'There is no restore point of that run. `holdfast runs --target {{ $labels.target }}` shows why; `holdfast backup {{ $labels.target }}` tries again.',
	},
	{
		name: 'HoldfastBackupPartial',
		expr: `${lastWas('backup', 'partial')} unless ${perTarget} holdfast_last_backup_rested == 1`,
		for: '0m',
		severity: 'warning',
		summary: 'The last backup of {{ $labels.target }} was only partial',
		description:
			'Something of the target was not stored, or not put back as it was. `holdfast runs --target {{ $labels.target }}` names it.',
	},
	{
		name: 'HoldfastTargetGone',
		expr: 'time() - holdfast_target_gone_since_timestamp_seconds > 3600',
		for: '0m',
		severity: 'critical',
		summary: '{{ $labels.target }} was backed up and is not found any more',
		description:
			'It was removed, renamed, or has lost its labels: nothing of it is backed up. `holdfast status` says what is there. If it is meant so: `holdfast forget {{ $labels.target }}`.',
	},
	{
		name: 'HoldfastTargetProblems',
		expr: 'holdfast_target_problems > 0',
		for: '15m',
		severity: 'critical',
		summary: '{{ $labels.target }} is not backed up: its labels have mistakes',
		description: 'A target with mistakes is not run. `holdfast targets` names each mistake and what was probably meant.',
	},
	{
		name: 'HoldfastTargetSuspicious',
		expr: 'holdfast_target_suspicious == 1',
		for: '0m',
		severity: 'warning',
		summary: '{{ $labels.target }} is much smaller than before',
		description:
			'Something may have been deleted, or the backup may miss it. Old restore points are kept until a person has looked: `holdfast points {{ $labels.target }}`.',
	},
	{
		name: 'HoldfastOutageAboveLimit',
		expr: `holdfast_last_quiesce_seconds > ${perTarget} holdfast_quiesce_limit_seconds`,
		for: '0m',
		severity: 'warning',
		summary: '{{ $labels.target }} was down for longer than its limit',
		description:
			'The last backup held the application for longer than `holdfast.quiesce.timeout`. See which step took the time: `holdfast runs --target {{ $labels.target }}`.',
	},
	{
		name: 'HoldfastContainersLeftQuiesced',
		expr: 'holdfast_left_quiesced_containers > 0',
		for: '1m',
		severity: 'critical',
		summary: 'Containers at {{ $labels.instance }} are still held although their run is over',
		description:
			'An application may be down. The agent goes on trying; its log names the container and the command that puts it back by hand.',
	},
	{
		name: 'HoldfastDrillFailed',
		expr: 'holdfast_last_run_outcome{operation="drill",outcome=~"failed|partial"} == 1',
		for: '0m',
		severity: 'critical',
		summary: 'The last drill of {{ $labels.target }} failed',
		description:
			'A restore point did not restore as it should. Until a drill succeeds, take it that a restore would fail too: `holdfast runs --target {{ $labels.target }}`.',
	},
	{
		name: 'HoldfastDrillStale',
		expr: stale('drill'),
		for: '5m',
		severity: 'warning',
		summary: '{{ $labels.target }} was not rehearsed for too long',
		description:
			'No drill succeeded for longer than its schedule allows, or none ever did. `holdfast drill {{ $labels.target }}` rehearses now.',
	},
	{
		name: 'HoldfastCheckFailed',
		expr: 'holdfast_repository_check_success == 0',
		for: '0m',
		severity: 'critical',
		summary: 'Repository {{ $labels.repository }} is damaged, or could not be checked',
		description:
			'Restore points may not restore. Do not prune. `holdfast runs` shows what the check found; docs/alerts.md says how to go on.',
	},
	{
		name: 'HoldfastPruneStale',
		expr: stale('prune'),
		for: '5m',
		severity: 'warning',
		summary: '{{ $labels.target }} was not pruned for too long',
		description: 'What retention forgot still takes space. `holdfast prune` tries again, and says what keeps it from working.',
	},
	{
		name: 'HoldfastCopyStale',
		expr: stale('copy'),
		for: '5m',
		severity: 'critical',
		summary: '{{ $labels.target }} has no recent copies of the restore points',
		description:
			'No copying succeeded for longer than its schedule allows, or none ever did: there may be only one place left. `holdfast copy` tries again.',
	},
	{
		name: 'HoldfastLockOld',
		expr: 'holdfast_repository_lock_age_seconds > 1800',
		for: '10m',
		severity: 'warning',
		summary: 'Repository {{ $labels.repository }} has a lock that nobody refreshes',
		description:
			'A process that was killed, or a machine that lost its power, left it: prune cannot work, and where the lock is an exclusive one nothing can be backed up either. `holdfast unlock` says whose it is.',
	},
	{
		name: 'HoldfastEngineDown',
		expr: 'holdfast_engine_up == 0',
		for: '2m',
		severity: 'critical',
		summary: 'The agent at {{ $labels.instance }} does not reach its engine',
		description: 'Nothing can be backed up. Is the Docker Engine running, and is its socket or proxy reachable from the agent?',
	},
	{
		name: 'HoldfastRepositoryUnreachable',
		expr: 'holdfast_repository_up == 0',
		for: '5m',
		severity: 'critical',
		summary: 'Repository {{ $labels.repository }} cannot be opened',
		description:
			'It is gone, unreachable, or its password is another one. `holdfast doctor` says which. Nothing is ever made anew in its place.',
	},
	{
		name: 'HoldfastUnprotectedVolumes',
		expr: 'holdfast_unprotected_volumes > 0',
		for: '1h',
		severity: 'info',
		summary: 'Data at {{ $labels.instance }} is in no backup',
		description:
			'Running containers write to volumes or bind mounts that no target backs up. `holdfast doctor` names them, and how to say that it is meant so.',
	},
	{
		name: 'HoldfastAgentAbsent',
		expr: 'up{job="holdfast"} == 0 or absent(up{job="holdfast"})',
		for: '5m',
		severity: 'critical',
		summary: 'The Holdfast agent does not answer',
		description: 'Nothing is backed up while it is away. `docker compose ps holdfast` and its log say why.',
	},
	{
		name: 'HoldfastSlackDisconnected',
		expr: 'holdfast_slack_connected == 0',
		for: '10m',
		severity: 'warning',
		summary: 'The Slack bot is not connected',
		description: 'Backups go on, but Slack neither hears of them nor can ask for them. The log of the bot says why.',
	},
];
