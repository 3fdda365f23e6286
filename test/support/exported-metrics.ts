/** The names of the metrics that the agent exports, asked of the real registry. */
import {createEventHub} from '../../agent/events.ts';
import {createMetrics} from '../../agent/metrics.ts';

/** Those of DESIGN.md whose family comes with its own part of the agent. */
const comingFamilies = [
	'holdfast_repository_check_success',
	'holdfast_repository_last_check_timestamp_seconds',
	'holdfast_repository_last_prune_timestamp_seconds',
	'holdfast_repository_lock_age_seconds',
	'holdfast_repository_size_bytes',
	'holdfast_restore_points',
];

/** With the series that a histogram has, and `up`, which Prometheus makes itself. */
export async function exportedMetrics(): Promise<Set<string>> {
	const metrics = createMetrics({
		hub: createEventHub(() => {}),
		version: '1.2.3',
		history: {latest: [], counts: [], quiesced: []},
		collect: async () => ({targets: [], scheduled: [], unprotected: []}),
		own: () => ({quiescedContainers: 0, leftQuiescedContainers: 0, repositories: new Map(), slackConnected: true}),
		report: () => {},
	});
	const names = [...(await metrics.text()).matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', type]) =>
		type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
	);
	return new Set([...names, ...comingFamilies, 'up']);
}
