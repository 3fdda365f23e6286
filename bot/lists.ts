/** What is asked and only shown: the overview, the points and the history of a target, the doctor's findings, and how to export. */
import {within} from '../agent/api/fleet.ts';
import {explain} from '../base/errors.ts';
import type {RunView} from '../base/shapes/runs.ts';
import type {Origin} from './deliveries.ts';
import {answer, type Desk} from './desk.ts';
import type {Host, Placed} from './fleet.ts';
import {doctorMessage, historyMessage, notice, pointsMessage} from './messages/lists.ts';
import {overviewMessage, type Sign} from './messages/overview.ts';
import {gather, seenBy} from './overview.ts';
import {lifetimes} from './references.ts';
import {code} from './text.ts';

/** It looks at everything, and asks every repository. */
const doctorMs = 120_000;

const newestRuns = 30;

export async function showOverview(desk: Desk, origin: Origin, page: number, options?: {replace?: boolean}): Promise<void> {
	const {fleet, guard, now} = desk;
	await allowView(desk, origin);
	const seen = await seenBy(async (action, label) => guard.may(origin, action, label), await gather(fleet));
	await answer(desk, origin, overviewMessage(seen, {page, now: now(), sign: signing(desk)}), options);
}

export async function showPoints(desk: Desk, origin: Origin, {host, target, label}: Placed): Promise<void> {
	await allowView(desk, origin, label);
	const points = await host.client.points(target);
	const mayRestore = await desk.guard.may(origin, 'restore', label);
	await answer(desk, origin, pointsMessage({host: host.name, target, label, points, now: desk.now(), sign: signing(desk), mayRestore}));
}

/** @param placed undefined: of every target that the person may see */
export async function showHistory(desk: Desk, origin: Origin, placed: Placed | undefined): Promise<void> {
	const {guard} = desk;
	await allowView(desk, origin, placed?.label);
	const {runs, troubles} =
		placed === undefined ? await runsOfAll(desk) : {runs: await runsOf(desk, placed.host, placed.target), troubles: []};
	const visible = await Promise.all(runs.map(async run => ((await guard.may(origin, 'view', run.label)) ? [run] : [])));
	const newest = visible.flat().sort((a, b) => (a.view.run < b.view.run ? 1 : -1));
	await answer(desk, origin, historyMessage(newest.slice(0, newestRuns), {title: placed?.label ?? '', troubles}));
}

export async function showDoctor(desk: Desk, origin: Origin): Promise<void> {
	await allowView(desk, origin);
	const hosts = await Promise.all(desk.fleet.hosts.map(async host => ({host: host.name, findings: await findingsOf(host)})));
	await answer(desk, origin, doctorMessage(hosts));
}

/** Only how: data never goes through Slack. */
export async function showExport(desk: Desk, origin: Origin, {host, target, label}: Placed): Promise<void> {
	await desk.guard.allow(origin, {action: 'export', host, target: label, subject: target, reference: ''});
	const [point] = await host.client.points(target);
	const text =
		point === undefined
			? `${code(label)} has no restore point to export`
			: `Data never goes through Slack. On the host, this writes a portable archive of the newest point of ${code(label)}:\n\`\`\`\ndocker compose exec -T holdfast holdfast export ${code(target).slice(1, -1)} --point ${code(point.point).slice(1, -1)} > archive.tar.gz\n\`\`\``;
	await answer(desk, origin, notice('📦', text));
}

async function allowView({guard, fleet}: Desk, origin: Origin, target?: string): Promise<void> {
	await guard.allow(origin, {action: 'view', host: fleet.hosts[0], target, subject: target ?? '', reference: ''});
}

const signing =
	({references}: Desk): Sign =>
	order =>
		references.sign(order, lifetimes.answer);

/** With their targets as people read them here. */
async function runsOf({fleet}: Desk, host: Host, target?: string): Promise<Array<{label: string; view: RunView}>> {
	const views = await fleet.ask(host, host.client.runs({target, limit: newestRuns}));
	return views.map(view => ({label: fleet.label(host.name, view.target), view}));
}

/** One of several hosts that cannot be asked does not hide the others; a single one's error is the answer. */
async function runsOfAll(desk: Desk) {
	const {hosts} = desk.fleet;
	const troubles: string[] = [];
	const runs = await Promise.all(
		hosts.map(async host =>
			runsOf(desk, host).catch((error: unknown) => {
				if (hosts.length === 1) {
					throw error;
				}

				troubles.push(`${host.name}: ${explain(error)}`);
				return [];
			}),
		),
	);
	return {runs: runs.flat(), troubles};
}

async function findingsOf({name, client}: Host) {
	return within(doctorMs, client.doctor()).catch((error: unknown) => [{level: 'error' as const, subject: name, message: explain(error)}]);
}
