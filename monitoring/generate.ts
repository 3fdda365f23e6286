/** Writes what is made of code: the rules of Prometheus and Grafana with their tests, and the dashboard. `npm run monitoring`. */
import {writeFile} from 'node:fs/promises';
import {stringify} from 'yaml';
import {dashboard} from './dashboard.ts';
import {grafanaRules} from './grafana-rules.ts';
import {prometheusRules} from './prometheus-rules.ts';
import {ruleTests} from './rule-tests.ts';

const head = '# Made by `npm run monitoring` from monitoring/*.ts: change those.\n';

const yaml = (value: unknown): string => head + stringify(value, {lineWidth: 0, aliasDuplicateObjects: false});

/** Each file, below monitoring/, and its content. */
export const generated = (): Record<string, string> => ({
	'prometheus/rules.yml': yaml(prometheusRules()),
	'prometheus/rules.test.yml': yaml(ruleTests()),
	'grafana/provisioning/alerting/rules.yml': yaml(grafanaRules()),
	'grafana/dashboards/holdfast.json': `${JSON.stringify(dashboard(), null, '\t')}\n`,
});

if (import.meta.main) {
	for (const [file, content] of Object.entries(generated())) {
		await writeFile(new URL(file, import.meta.url), content);
	}
}
