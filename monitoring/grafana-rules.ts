/** The table of alerts as Grafana provisions them from a file. */
import type {Query, Rule} from '@grafana/grafana-foundation-sdk/alerting';
import type {TypeThreshold} from '@grafana/grafana-foundation-sdk/expr';
import type {Dataquery} from '@grafana/grafana-foundation-sdk/prometheus';
import {type Alert, alerts, runbook} from './alerts.ts';

/** The data source that provisioning makes. */
export const dataSource = {type: 'prometheus', uid: 'holdfast-prometheus'};

/** As Grafana's own builder library has them; where the rule belongs is said by its group in the file. */
type Published<Kind> = Omit<Kind, '_implementsDataqueryVariant'>;
type PublishedRule = Omit<Rule, 'data' | 'folderUID' | 'ruleGroup' | 'orgID'> & {data: Array<Omit<Query, 'model'>>};

const range = {from: 600, to: 0};

/** Of `x == 0` Prometheus yields the value 0, which Grafana would take for no alert: every series that is there counts as 1. */
const query = ({expr}: Alert) => ({
	refId: 'A',
	relativeTimeRange: range,
	datasourceUid: dataSource.uid,
	model: {refId: 'A', expr: `(${expr}) * 0 + 1`, instant: true, range: false} satisfies Published<Dataquery>,
});

const condition = {
	refId: 'B',
	relativeTimeRange: range,
	datasourceUid: '__expr__',
	model: {
		refId: 'B',
		type: 'threshold',
		expression: 'A',
		conditions: [{evaluator: {type: 'gt', params: [0]}}],
	} satisfies Published<TypeThreshold>,
};

/** At most 40 characters, and never changed: Grafana knows the rule by it. */
const uidOf = ({name}: Alert): string => name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();

const ruleOf = (alert: Alert): PublishedRule => ({
	uid: uidOf(alert),
	title: alert.name,
	condition: 'B',
	data: [query(alert), condition],
	// No series is no alert; that the agent is away is an alert of its own
	noDataState: 'OK',
	execErrState: 'Error',
	for: alert.for,
	labels: {severity: alert.severity},
	annotations: {summary: alert.summary, description: alert.description, runbook_url: runbook(alert)},
});

export const grafanaRules = () => ({
	apiVersion: 1,
	groups: [{orgId: 1, name: 'holdfast', folder: 'Holdfast', interval: '1m', rules: alerts.map(ruleOf)}],
});
