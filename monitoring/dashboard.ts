/** The dashboard as code. */
import {
	DashboardBuilder,
	QueryVariableBuilder,
	RowBuilder,
	ThresholdsConfigBuilder,
	ThresholdsMode,
	VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {DataqueryBuilder, PromQueryFormat} from '@grafana/grafana-foundation-sdk/prometheus';
import {PanelBuilder as StatBuilder} from '@grafana/grafana-foundation-sdk/stat';
import {PanelBuilder as TableBuilder} from '@grafana/grafana-foundation-sdk/table';
import {PanelBuilder as TimeseriesBuilder} from '@grafana/grafana-foundation-sdk/timeseries';
import {allowedAge} from './allowed-age.ts';
import {dataSource} from './grafana-rules.ts';

/** Of the hosts that are chosen above the dashboard: as Prometheus calls the agents. */
const ofHosts = (expr: string) =>
	expr.replaceAll(
		/\b(holdfast_\w+)(?:\{([^}]*)\})?/g,
		(_, name: string, labels?: string) => `${name}{instance=~"$host"${labels === undefined ? '' : `,${labels}`}}`,
	);

const hosts = new QueryVariableBuilder('host')
	.label('Host')
	.description('The agents, as Prometheus calls them')
	.datasource(dataSource)
	.query('label_values(holdfast_build_info, instance)')
	.multi(true)
	.includeAll(true)
	.allValue('.*')
	.refresh(VariableRefresh.OnTimeRangeChanged);

const query = (expr: string, legend = '{{target}}') =>
	new DataqueryBuilder().datasource(dataSource).expr(ofHosts(expr)).legendFormat(legend);

/** Two hosts may have targets of one name. */
const place = 'place';

const column = (refId: string, expr: string) =>
	query(`label_join(${expr}, "${place}", " ", "instance", "target")`).refId(refId).instant().format(PromQueryFormat.Table);

const redAbove = (limit: number) =>
	new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([
		{value: null, color: 'green'},
		{value: limit, color: 'red'},
	]);

const redBelow = (limit: number) =>
	new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([
		{value: null, color: 'red'},
		{value: limit, color: 'green'},
	]);

const number = (title: string, expr: string, thresholds = redAbove(1)) =>
	new StatBuilder()
		.title(title)
		.datasource(dataSource)
		.span(3)
		.height(4)
		.thresholds(thresholds)
		.noValue('–')
		.withTarget(query(expr).instant());

const graph = (title: string, unit: string, ...queries: DataqueryBuilder[]) =>
	new TimeseriesBuilder().title(title).datasource(dataSource).span(12).height(8).unit(unit).min(0).targets(queries);

const allowed = allowedAge('backup');

const overdue = `sum(
  (
    (time() - holdfast_last_success_timestamp_seconds) > bool on (job, instance, target) ${allowed}
  ) unless on (job, instance, target) time() - holdfast_last_rested_timestamp_seconds <= on (job, instance, target) ${allowed}
) or vector(0)`;

const numbers = [
	number('Targets', 'sum(holdfast_targets)', redBelow(1)),
	number('Overdue', overdue),
	number(
		'Last backup not a success',
		'sum(holdfast_last_run_outcome{operation="backup",outcome!="success"} unless on (job, instance, target) holdfast_last_backup_rested == 1) or vector(0)',
	),
	number('With mistakes in labels', 'count(holdfast_target_problems > 0) or vector(0)'),
	number('Unprotected volumes', 'sum(holdfast_unprotected_volumes)'),
	number('Left quiesced', 'sum(holdfast_left_quiesced_containers)'),
	number('Engine', 'min(holdfast_engine_up)', redBelow(1)),
	number('Repositories', 'min(holdfast_repository_up)', redBelow(1)),
];

const columns = [
	['A', 'Age', 's', 'time() - holdfast_last_success_timestamp_seconds'],
	['B', 'Allowed age', 's', allowed],
	['C', 'Next run in', 's', 'holdfast_next_run_timestamp_seconds{operation="backup"} - time()'],
	['D', 'Outage', 's', 'holdfast_last_quiesce_seconds'],
	['E', 'Size', 'decbytes', 'sum by (job, instance, target) (holdfast_backup_bytes)'],
	['F', 'Last drill', 's', 'time() - holdfast_run_last_success_timestamp_seconds{operation="drill"}'],
	['G', 'Mistakes', 'none', 'holdfast_target_problems'],
] as const;

function fleet(): TableBuilder {
	const table = new TableBuilder().title('Fleet').datasource(dataSource).span(24).height(9);
	table.targets(columns.map(([refId, , , expr]) => column(refId, expr)));
	table.withTransformation({id: 'joinByField', options: {byField: place, mode: 'outer'}});
	table.withTransformation({id: 'filterFieldsByName', options: {include: {pattern: `^(${place}|Value #[A-Z])$`}}});
	table.withTransformation({
		id: 'organize',
		options: {
			renameByName: {[place]: 'Host and target', ...Object.fromEntries(columns.map(([refId, title]) => [`Value #${refId}`, title]))},
		},
	});
	for (const [, title, unit] of columns) {
		table.overrideByName(title, [{id: 'unit', value: unit}]);
	}

	return table;
}

export const dashboard = () =>
	new DashboardBuilder('Holdfast')
		.uid('holdfast')
		.description('Backups of Docker Compose stacks: what is protected, how old it is, how long it was held.')
		.tags(['holdfast', 'backup'])
		.refresh('1m')
		.time({from: 'now-7d', to: 'now'})
		.timezone('browser')
		.withVariable(hosts)
		.withRow(new RowBuilder('Now'))
		.withPanel(numbers[0] as StatBuilder)
		.withPanel(numbers[1] as StatBuilder)
		.withPanel(numbers[2] as StatBuilder)
		.withPanel(numbers[3] as StatBuilder)
		.withPanel(numbers[4] as StatBuilder)
		.withPanel(numbers[5] as StatBuilder)
		.withPanel(numbers[6] as StatBuilder)
		.withPanel(numbers[7] as StatBuilder)
		.withPanel(fleet())
		.withRow(new RowBuilder('Objectives'))
		.withPanel(
			graph(
				'Age of the last success, as a share of what is allowed',
				'percentunit',
				query(`(time() - holdfast_last_success_timestamp_seconds) / on (job, instance, target) ${allowed}`),
			),
		)
		.withPanel(
			graph(
				'Outage of the last backup, as a share of its limit',
				'percentunit',
				query('holdfast_last_quiesce_seconds / on (job, instance, target) holdfast_quiesce_limit_seconds'),
			),
		)
		.withRow(new RowBuilder('Runs'))
		.withPanel(
			graph(
				'Outage, 95th percentile of a day',
				's',
				query('histogram_quantile(0.95, sum by (target, le) (increase(holdfast_quiesce_seconds_bucket[1d])))'),
			),
		)
		.withPanel(graph('Duration of the last run', 's', query('holdfast_run_duration_seconds', '{{operation}} {{target}}')))
		.withPanel(
			graph('Runs in a day', 'none', query('sum by (operation, outcome) (increase(holdfast_runs_total[1d]))', '{{operation}} {{outcome}}')),
		)
		.withPanel(
			graph('Time since the last successful drill', 's', query('time() - holdfast_run_last_success_timestamp_seconds{operation="drill"}')),
		)
		.withRow(new RowBuilder('Sizes'))
		.withPanel(graph('Size of the last backup', 'decbytes', query('sum by (target) (holdfast_backup_bytes)')))
		.withPanel(graph('Added by the last backup', 'decbytes', query('sum by (target) (holdfast_backup_added_bytes)')))
		.withRow(new RowBuilder('Repositories'))
		.withPanel(graph('Size', 'decbytes', query('holdfast_repository_size_bytes', '{{repository}}')))
		.withPanel(graph('Restore points', 'none', query('holdfast_restore_points')))
		.withPanel(
			graph(
				'Time since the last check, prune and copy',
				's',
				query('time() - holdfast_repository_last_check_timestamp_seconds', 'check {{repository}}'),
				query('time() - holdfast_repository_last_prune_timestamp_seconds', 'prune {{repository}}'),
				query('time() - holdfast_run_last_success_timestamp_seconds{operation="copy"}', 'copy {{target}}'),
			),
		)
		.withPanel(graph('Age of the oldest lock', 's', query('holdfast_repository_lock_age_seconds', '{{repository}}')))
		.build();
