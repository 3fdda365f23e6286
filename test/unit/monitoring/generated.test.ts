/** The files of monitoring/ are what the code makes, and name only what the agent exports. */
import {readFile} from 'node:fs/promises';
import {parser} from '@prometheus-io/lezer-promql';
import test from 'ava';
import {parse} from 'yaml';
import {z} from 'zod';
import {alerts} from '../../../monitoring/alerts.ts';
import {generated} from '../../../monitoring/generate.ts';
import {cases} from '../../../monitoring/rule-tests.ts';
import {exportedMetrics} from '../../support/doubles/exported-metrics.ts';

const read = async (file: string) => readFile(new URL(`../../../monitoring/${file}`, import.meta.url), 'utf8');

for (const [file, content] of Object.entries(generated())) {
	test(`monitoring/${file} is what \`npm run monitoring\` writes`, async t => {
		t.true((await read(file)) === content, 'run `npm run monitoring`');
	});
}

/** The names of the metrics in an expression; fails on one that does not parse. */
function metricsIn(expr: string): string[] {
	const names: string[] = [];
	parser.parse(expr).iterate({
		enter({type, from, to}) {
			if (type.isError) {
				throw new Error(`no PromQL at ${from}: ${expr}`);
			}

			if (type.name === 'Identifier' && expr.slice(from, to) !== '') {
				names.push(expr.slice(from, to));
			}
		},
	});
	return names;
}

const collect = (value: unknown): string[] =>
	typeof value !== 'object' || value === null
		? []
		: Object.entries(value).flatMap(([key, inner]) => (key === 'expr' ? [String(inner)] : collect(inner)));

test('every query names only metrics that the agent exports', async t => {
	const exported = await exportedMetrics();
	for (const file of ['prometheus/rules.yml', 'grafana/provisioning/alerting/rules.yml', 'grafana/dashboards/holdfast.json']) {
		const queries = collect(parse(await read(file)));
		t.true(queries.length > 10, file);
		for (const query of queries) {
			const named = metricsIn(query);
			t.true(named.length > 0, query);
			t.deepEqual(
				named.filter(name => !exported.has(name)),
				[],
				query,
			);
		}
	}
});

test('a query with an unknown metric would be found', t => {
	t.deepEqual(metricsIn('sum by (target) (rate(holdfast_nonsense{a="b"}[5m])) > bool on (job) up'), ['holdfast_nonsense', 'up']);
	t.throws(() => metricsIn('sum by ('));
});

test('each alert has a case that fires and one that does not', t => {
	t.deepEqual(Object.keys(cases).sort(), alerts.map(({name}) => name).sort());
	for (const [name, list] of Object.entries(cases)) {
		t.true(
			list.some(({fires}) => fires !== undefined),
			name,
		);
		t.true(
			list.some(({fires}) => fires === undefined),
			name,
		);
	}
});

test('each alert has its runbook, and no runbook is of no alert', async t => {
	const page = await readFile(new URL('../../../docs/alerts.md', import.meta.url), 'utf8');
	const headings = [...page.matchAll(/^## (Holdfast\w+)$/gm)].map(([, heading]) => heading);
	t.deepEqual(
		headings,
		alerts.map(({name}) => name),
	);
});

const receiver = z.strictObject({
	uid: z.string().max(40),
	type: z.string(),
	settings: z.record(z.string(), z.unknown()),
	disableResolveMessage: z.boolean(),
});

const model = z.union([
	z.strictObject({refId: z.string(), expr: z.string(), instant: z.literal(true), range: z.literal(false)}),
	z.strictObject({
		refId: z.string(),
		type: z.literal('threshold'),
		expression: z.string(),
		conditions: z.tuple([z.strictObject({evaluator: z.strictObject({type: z.literal('gt'), params: z.tuple([z.number()])})})]),
	}),
]);

/** As Grafana's documentation of file provisioning has it; what Grafana would pass over is a mistake here. */
const rule = z.strictObject({
	uid: z.string().regex(/^[\w-]{1,40}$/),
	title: z.string().max(190),
	condition: z.string(),
	data: z
		.array(
			z.strictObject({
				refId: z.string(),
				relativeTimeRange: z.strictObject({from: z.number(), to: z.number()}),
				datasourceUid: z.string(),
				model,
			}),
		)
		.min(2),
	noDataState: z.enum(['NoData', 'OK', 'Alerting', 'KeepLast']),
	execErrState: z.enum(['Error', 'OK', 'Alerting', 'KeepLast']),
	for: z.string().regex(/^\d+[smh]$/),
	labels: z.record(z.string(), z.string()),
	annotations: z.record(z.string(), z.string()),
});

test("Grafana's provisioning is as Grafana documents it", async t => {
	const provisioning = async (file: string) => parse(await read(`grafana/provisioning/${file}`));
	const {groups} = z
		.strictObject({
			apiVersion: z.literal(1),
			groups: z.array(
				z.strictObject({orgId: z.literal(1), name: z.string(), folder: z.string(), interval: z.string(), rules: z.array(rule)}),
			),
		})
		.parse(await provisioning('alerting/rules.yml'));
	const uids = groups.flatMap(({rules}) => rules.map(({uid}) => uid));
	t.is(new Set(uids).size, alerts.length);

	const {contactPoints} = z
		.strictObject({
			apiVersion: z.literal(1),
			contactPoints: z.array(z.strictObject({orgId: z.literal(1), name: z.string(), receivers: z.array(receiver).min(1)})),
		})
		.parse(await provisioning('alerting/contact-points.yml'));
	const {policies} = z
		.strictObject({
			apiVersion: z.literal(1),
			policies: z.array(
				z.strictObject({
					orgId: z.literal(1),
					receiver: z.string(),
					group_by: z.array(z.string()),
					group_wait: z.string(),
					group_interval: z.string(),
					repeat_interval: z.string(),
				}),
			),
		})
		.parse(await provisioning('alerting/policies.yml'));
	t.true(policies.every(policy => contactPoints.some(({name}) => name === policy.receiver)));

	const {datasources} = (await provisioning('datasources/prometheus.yml')) as {datasources: Array<{uid: string; type: string}>};
	const queried = groups.flatMap(({rules}) => rules.flatMap(({data}) => data.map(({datasourceUid}) => datasourceUid)));
	t.deepEqual([...new Set(queried)].sort(), ['__expr__', ...datasources.map(({uid}) => uid)].sort());
	const dashboard = JSON.stringify(JSON.parse(await read('grafana/dashboards/holdfast.json')));
	t.deepEqual(
		[...new Set([...dashboard.matchAll(/"datasource":\{"type":"prometheus","uid":"([^"]+)"/g)].map(([, uid]) => uid))],
		[datasources[0]?.uid],
	);
});
