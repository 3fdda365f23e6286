/** For each alert: series for which it fires, and series for which it does not. `promtool test rules` runs them. */
import {type Alert, alerts, runbook} from './alerts.ts';

interface Case {
	/** Series without `job` and `instance`, and their values, one a minute. */
	series: Record<string, string>;
	/** When it is looked at. */
	at: string;
	/** Labels of the alert besides the severity, `job` and `instance`; none: it does not fire. */
	fires?: Record<string, string>;
}

const target = 'shop/db';
/** Of an hourly schedule, which may be late by 2 h 15 min. */
const hourly = '3600+0x200';
const daily = '86400+0x200';

/** The clock of a test starts at 0, so a time stamp of 0 is as old as the test. */
const since0 = '0+0x200';

const staleCases = (operation: string, subject: string): Case[] => {
	const labels = `{target="${subject}",operation="${operation}"}`;
	const due = {[`holdfast_expected_interval_seconds${labels}`]: hourly, [`holdfast_scheduled_since_timestamp_seconds${labels}`]: since0};
	const success = `holdfast_run_last_success_timestamp_seconds${labels}`;
	const fires = {target: subject, operation};
	return [
		{series: {...due, [success]: since0}, at: '2h25m', fires},
		{series: {...due, [success]: since0}, at: '2h10m'},
		// Never succeeded, for too long and not yet for too long
		{series: due, at: '2h25m', fires},
		{series: due, at: '2h10m'},
		// Succeeded an hour ago, and on a schedule that is new
		{series: {...due, [success]: '4200+0x200'}, at: '2h25m'},
		{series: {...due, [`holdfast_scheduled_since_timestamp_seconds${labels}`]: '4200+0x200', [success]: since0}, at: '2h25m'},
	];
};

const outcomeCases = (operation: string, outcome: string): Case[] => {
	const series = `holdfast_last_run_outcome{target="${target}",operation="${operation}",outcome="${outcome}"}`;
	return [
		{series: {[series]: '0 0 1 1 1'}, at: '2m', fires: {target, operation, outcome}},
		{series: {[series]: '0 1 1 0 0'}, at: '4m'},
	];
};

/** Fires at the first value once it has held for `held`, and not at the second. */
const valueCases = (series: string, [bad, good]: [string, string], held: string, labels: Record<string, string> = {}): Case[] => [
	{series: {[series]: `${bad}+0x120`}, at: held, fires: labels},
	{series: {[series]: `${good}+0x120`}, at: held},
];

const expected = `holdfast_expected_interval_seconds{target="${target}",operation="backup"}`;
const success = `holdfast_last_success_timestamp_seconds{target="${target}"}`;
const isRested = `holdfast_last_backup_rested{target="${target}"}`;
const restedAt = `holdfast_last_rested_timestamp_seconds{target="${target}"}`;
const seen = `holdfast_first_seen_timestamp_seconds{target="${target}"}`;
const lastPartial = {[`holdfast_last_run_outcome{target="${target}",operation="backup",outcome="partial"}`]: '1 1 1'};
const outage = (seconds: string) => ({
	[`holdfast_last_quiesce_seconds{target="${target}"}`]: seconds,
	[`holdfast_quiesce_limit_seconds{target="${target}"}`]: '300 300',
});

export const cases: Readonly<Record<string, readonly Case[]>> = {
	HoldfastBackupStale: [
		{series: {[expected]: hourly, [success]: since0}, at: '2h25m', fires: {target}},
		{series: {[expected]: hourly, [success]: since0}, at: '2h10m'},
		{series: {[expected]: daily, [success]: since0}, at: '3h'},
		// Stopped on purpose when it was due last; and too long ago
		{series: {[expected]: hourly, [success]: since0, [restedAt]: '4200+0x200'}, at: '2h25m'},
		{series: {[expected]: hourly, [success]: since0, [restedAt]: since0}, at: '2h25m', fires: {target}},
	],
	HoldfastBackupNeverSucceeded: [
		{series: {[expected]: hourly, [seen]: since0}, at: '2h25m', fires: {target}},
		{series: {[expected]: hourly, [seen]: since0}, at: '2h10m'},
		{series: {[expected]: hourly, [seen]: since0, [success]: since0}, at: '2h25m'},
		{series: {[expected]: hourly, [seen]: since0, [restedAt]: '4200+0x200'}, at: '2h25m'},
	],
	HoldfastBackupFailed: outcomeCases('backup', 'failed'),
	HoldfastBackupPartial: [
		...outcomeCases('backup', 'partial'),
		// Only what was stopped is missing; and a run that lacked more, whatever rests since
		{series: {...lastPartial, [isRested]: '1 1 1'}, at: '2m'},
		{
			series: {...lastPartial, [isRested]: '0 0 0', [restedAt]: '90 90 90'},
			at: '2m',
			fires: {target, operation: 'backup', outcome: 'partial'},
		},
	],
	HoldfastTargetGone: [
		{series: {[`holdfast_target_gone_since_timestamp_seconds{target="${target}"}`]: since0}, at: '1h2m', fires: {target}},
		{series: {[`holdfast_target_gone_since_timestamp_seconds{target="${target}"}`]: since0}, at: '50m'},
	],
	HoldfastTargetProblems: valueCases(`holdfast_target_problems{target="${target}"}`, ['2', '0'], '16m', {target}),
	HoldfastTargetSuspicious: [
		{series: {[`holdfast_target_suspicious{target="${target}"}`]: '1 1'}, at: '1m', fires: {target}},
		{series: {[`holdfast_target_suspicious{target="${target}"}`]: '1 stale'}, at: '1m'},
	],
	HoldfastOutageAboveLimit: [
		{series: outage('301 301'), at: '1m', fires: {target}},
		{series: outage('300 300'), at: '1m'},
	],
	HoldfastContainersLeftQuiesced: [
		...valueCases('holdfast_left_quiesced_containers', ['1', '0'], '2m'),
		// Put back within a minute
		{series: {holdfast_left_quiesced_containers: '1 0 0'}, at: '2m'},
	],
	HoldfastDrillFailed: [...outcomeCases('drill', 'failed'), ...outcomeCases('drill', 'partial')],
	HoldfastDrillStale: staleCases('drill', target),
	HoldfastCheckFailed: valueCases('holdfast_repository_check_success{repository="primary"}', ['0', '1'], '1m', {repository: 'primary'}),
	HoldfastPruneStale: staleCases('prune', 'repository:primary'),
	HoldfastCopyStale: staleCases('copy', 'repository:nas'),
	HoldfastLockOld: valueCases('holdfast_repository_lock_age_seconds{repository="primary"}', ['2000', '600'], '11m', {
		repository: 'primary',
	}),
	HoldfastEngineDown: [...valueCases('holdfast_engine_up', ['0', '1'], '3m'), {series: {holdfast_engine_up: '0 1 1 1'}, at: '3m'}],
	HoldfastRepositoryUnreachable: valueCases('holdfast_repository_up{repository="nas"}', ['0', '1'], '6m', {repository: 'nas'}),
	HoldfastUnprotectedVolumes: valueCases('holdfast_unprotected_volumes', ['3', '0'], '61m'),
	HoldfastAgentAbsent: [...valueCases('up', ['0', '1'], '6m'), {series: {}, at: '6m', fires: {instance: ''}}],
	HoldfastSlackDisconnected: valueCases('holdfast_slack_connected', ['0', '1'], '11m'),
};

const origin = {job: 'holdfast', instance: 'holdfast:9797'};

function withOrigin(series: string): string {
	const [, name, labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(series) ?? [];
	return `${name}{job="${origin.job}",instance="${origin.instance}"${labels && `,${labels}`}}`;
}

function annotationsOf(alert: Alert, labels: Record<string, string>): Record<string, string> {
	const fill = (text: string) => text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => labels[name] ?? '');
	return {summary: fill(alert.summary), description: fill(alert.description), runbook_url: runbook(alert)};
}

const withoutEmpty = (labels: Record<string, string>) => Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''));

function alertOf(alert: Alert, fires: Record<string, string>) {
	const labels = withoutEmpty({...origin, ...fires, severity: alert.severity});
	return {exp_labels: labels, exp_annotations: annotationsOf(alert, labels)};
}

export const ruleTests = () => ({
	rule_files: ['rules.yml'],
	evaluation_interval: '1m',
	tests: alerts.flatMap(alert =>
		(cases[alert.name] ?? []).map(({series, at, fires}) => ({
			name: `${alert.name} ${fires ? 'fires' : 'does not fire'}`,
			interval: '1m',
			input_series: Object.entries(series).map(([name, values]) => ({series: withOrigin(name), values})),
			alert_rule_test: [{eval_time: at, alertname: alert.name, exp_alerts: fires ? [alertOf(alert, fires)] : []}],
		})),
	),
});
