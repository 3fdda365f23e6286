/** The table of alerts as a rule file of Prometheus. */
import {type Alert, alerts, runbook} from './alerts.ts';

const ruleOf = (alert: Alert) => ({
	alert: alert.name,
	expr: alert.expr,
	for: alert.for,
	labels: {severity: alert.severity},
	annotations: {summary: alert.summary, description: alert.description, runbook_url: runbook(alert)},
});

export const prometheusRules = () => ({groups: [{name: 'holdfast', rules: alerts.map(ruleOf)}]});
