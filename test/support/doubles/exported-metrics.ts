/** The names of the metrics that the agent exports, asked of the real registry. */

import {createMetrics} from '../../../agent/metrics/metrics.ts';
import {createEventHub} from '../../../base/events.ts';
import {overviewWith} from './overview.ts';

/** With the series that a histogram has, and `up`, which Prometheus makes itself. */
export async function exportedMetrics(): Promise<Set<string>> {
	const metrics = createMetrics({
		hub: createEventHub(() => {}),
		version: '1.2.3',
		history: {latest: [], counts: [], quiesced: []},
		collect: async () => overviewWith(),
		own: () => ({quiescedContainers: 0, leftQuiescedContainers: 0, repositories: new Map(), holdings: new Map(), slackConnected: true}),
		report: () => {},
	});
	const names = [...(await metrics.text()).matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', type]) =>
		type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
	);
	return new Set([...names, 'up']);
}
