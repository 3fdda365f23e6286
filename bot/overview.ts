/** The state of every target of every agent, gathered for what shows it. */

import {within} from '../agent/api/fleet.ts';
import {explain} from '../base/errors.ts';
import type {StatusView} from '../base/shapes/targets.ts';
import type {Fleet, Host} from './fleet.ts';

export interface TargetRow {
	host: string;
	target: string;
	label: string;
	/** The engine's word for its container. */
	container: string;
	status: StatusView;
	/** Of the newest point; undefined where it is not known. */
	bytes: number | undefined;
}

/** With what the person who looks may do: fewer buttons; a press is checked all the same. */
export interface SeenRow extends TargetRow {
	may: {operate: boolean; restore: boolean};
}

export interface SeenOverview extends Omit<Overview, 'rows'> {
	rows: SeenRow[];
}

export interface Overview {
	rows: TargetRow[];
	/** What could not be asked, for people. */
	troubles: string[];
	/** Hosts of which nobody has said that their kit is kept elsewhere. */
	unkept: string[];
	/** All of them, whether they answer or not. */
	hosts: string[];
}

export async function gather(fleet: Fleet): Promise<Overview> {
	await fleet.refresh();
	const parts = await Promise.all(fleet.hosts.map(async host => ofHost(fleet, host)));
	return {
		rows: parts.flatMap(({rows}) => rows).sort(compare),
		troubles: parts.flatMap(({troubles}) => troubles),
		unkept: parts.flatMap(({unkept}) => unkept),
		hosts: parts.flatMap(({hosts}) => hosts),
	};
}

/** Without the targets that the person may not see. */
export async function seenBy(
	may: (action: 'view' | 'backup' | 'restore', label: string) => Promise<boolean>,
	{rows, ...rest}: Overview,
): Promise<SeenOverview> {
	const seen = await Promise.all(
		rows.map(async row => {
			const [view, operate, restore] = await Promise.all([may('view', row.label), may('backup', row.label), may('restore', row.label)]);
			return view ? [{...row, may: {operate, restore}}] : [];
		}),
	);
	return {rows: seen.flat(), ...rest};
}

/** An agent asks its repository for them: others are not kept waiting by one that is out of reach. */
const pointsMs = 30_000;

async function ofHost(fleet: Fleet, host: Host): Promise<Overview> {
	const troubles: string[] = [];
	const missing = (error: unknown): never[] => {
		troubles.push(`${fleet.hosts.length === 1 ? '' : `${host.name}: `}${explain(error)}`);
		return [];
	};
	const [status, targets] = await Promise.all([
		fleet.ask(host, host.client.status()).catch(missing),
		fleet.ask(host, host.client.targets()).catch(() => []),
	]);
	const points = troubles.length > 0 ? [] : await within(pointsMs, host.client.points()).catch(missing);
	const bytes = new Map(points.toReversed().map(({target, sources}) => [target, sources.reduce((sum, source) => sum + source.bytes, 0)]));
	const containers = new Map(targets.map(({target, state}) => [target, state]));
	const rows = status.map(
		(row): TargetRow => ({
			host: host.name,
			target: row.target,
			label: fleet.label(host.name, row.target),
			container: containers.get(row.target) ?? 'unknown',
			status: row,
			bytes: bytes.get(row.target),
		}),
	);
	// An agent of an older version knows nothing of it.
	const kept = troubles.length > 0 ? undefined : await host.client.kitKept().catch(() => undefined);
	return {rows, troubles, unkept: kept === null ? [host.name] : [], hosts: [host.name]};
}

export type Standing = 'running' | 'failed' | 'partial' | 'late' | 'never' | 'good';

export function standing({status}: TargetRow): Standing {
	// What hangs, or waits for its turn, is as late as what never began.
	if (status.running !== null) {
		return status.late === undefined ? 'running' : 'late';
	}

	if (status.problems.length > 0 || status.goneSince !== undefined) {
		return 'failed';
	}

	// Another's last run counts now, and stands with that one.
	if (status.movedTo !== undefined) {
		return 'good';
	}

	if (status.lastRun !== null && status.lastRun.outcome !== 'success' && status.lastRun.rested !== true) {
		return status.lastRun.outcome;
	}

	return status.late !== undefined ? 'late' : status.lastRun === null ? 'never' : 'good';
}

const order: readonly Standing[] = ['failed', 'partial', 'late', 'running', 'never', 'good'];

/** What needs a person comes first. */
function compare(a: TargetRow, b: TargetRow): number {
	const difference = order.indexOf(standing(a)) - order.indexOf(standing(b));
	return difference === 0 ? (a.label < b.label ? -1 : Number(a.label > b.label)) : difference;
}
