import {label} from '../../base/label.ts';
import {newestPointOf} from '../../base/present.ts';
import {size, when} from '../../base/units.ts';
import {type Block, type Button, buttons, context, header, type Message, message, section, type View} from '../blocks.ts';
import {type SeenOverview, type SeenRow, type Standing, standing, type TargetRow} from '../overview.ts';
import type {Order} from '../references.ts';
import {code, codeBlock, date} from '../text.ts';

/** What a button's reference is made with. */
export type Sign = (order: Order) => string;

interface Shown {
	page: number;
	now: number;
	sign: Sign;
}

const lights: Record<Standing, string> = {running: '🔵', failed: '🔴', partial: '🟡', late: '🟠', never: '⚪', good: '🟢'};

/** Two blocks a target, and a few around them. */
const perMessage = 20;
const perHome = 40;

export const overviewMessage = (overview: SeenOverview, shown: Shown): Message =>
	message(`Backups: ${summary(overview.rows)}`, overviewBlocks(overview, shown, perMessage, 'page'));

export const homeView = (overview: SeenOverview, shown: Shown): View => ({
	type: 'home',
	blocks: overviewBlocks(overview, shown, perHome, 'home-page'),
});

export const deniedHome = (reason: string): View => ({type: 'home', blocks: [section(`You cannot see the backups: ${code(reason)}`)]});

function overviewBlocks({rows, troubles, unkept, hosts}: SeenOverview, shown: Shown, pageSize: number, verb: string): Block[] {
	const pages = Math.max(1, Math.ceil(rows.length / pageSize));
	const page = Math.min(Math.max(0, shown.page), pages - 1);
	return [
		header('Backups'),
		context(`${hostsText(hosts)}${summary(rows)} · as of ${date(shown.now)}`),
		...troubles.slice(0, 3).map(trouble => section(`⚠️ ${codeBlock(trouble, 1000)}`)),
		...(troubles.length > 3 ? [section(`⚠️ ${codeBlock(troubles.slice(3).join('\n'), 1000)}`)] : []),
		...(unkept.length === 0
			? []
			: [
					section(
						`🔑 of ${unkept.map(host => code(host)).join(', ')} nobody has said that what opens the repositories is kept elsewhere: \`holdfast kit\` there prints it`,
					),
				]),
		...(rows.length === 0 && troubles.length === 0 ? [section(`No container carries the label \`${label('enable')}=true\`.`)] : []),
		...rows.slice(page * pageSize, (page + 1) * pageSize).flatMap(row => rowBlocks(row, shown)),
		...buttons([
			page > 0 ? {verb, text: 'Previous', value: shown.sign({verb, page: page - 1})} : undefined,
			pages > 1 && page < pages - 1 ? {verb, text: `Next (${page + 2} of ${pages})`, value: shown.sign({verb, page: page + 1})} : undefined,
			{verb, text: 'Refresh', value: shown.sign({verb, page})},
		]),
	];
}

/** More than that are counted only. */
const namedHosts = 20;

const hostsText = (hosts: readonly string[]): string =>
	hosts.length < 2 ? '' : `${hosts.length} hosts${hosts.length > namedHosts ? '' : `: ${hosts.map(host => code(host)).join(', ')}`} · `;

export function summary(rows: readonly TargetRow[]): string {
	const counts = Map.groupBy(rows, standing);
	const words: Record<Standing, string> = {
		failed: 'failed',
		partial: 'partial',
		late: 'late',
		running: 'running',
		never: 'never backed up',
		good: 'good',
	};
	const parts = (Object.keys(words) as Standing[]).flatMap(kind =>
		counts.has(kind) ? [`${counts.get(kind)?.length} ${words[kind]}`] : [],
	);
	return `${rows.length} ${rows.length === 1 ? 'target' : 'targets'}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
}

function rowBlocks(row: SeenRow, {now, sign}: Shown): Block[] {
	const {host, target, may} = row;
	const button = (verb: string, text: string): Button => ({verb, text, value: sign({verb, host, target})});
	return [
		section(rowText(row, now)),
		...buttons([
			may.operate ? button('backup', 'Back up') : undefined,
			button('points', 'Points'),
			button('history', 'History'),
			may.restore ? button('choose', 'Restore…') : undefined,
		]),
	];
}

export function rowText(row: TargetRow, now: number): string {
	const {status, container, bytes} = row;
	const newest = newestPointOf(status, now);
	const facts = [
		container === 'running' ? undefined : `container ${code(container)}`,
		status.goneSince === undefined ? undefined : `gone ${when(status.goneSince, now)}`,
		status.movedTo === undefined
			? undefined
			: status.movedTo.as === undefined
				? `moved to host ${code(status.movedTo.host)}`
				: `backed up as ${code(status.movedTo.as)}`,
		status.late === undefined ? undefined : 'late',
		newest === undefined ? 'no restore point' : `last point ${newest}`,
		bytes === undefined ? undefined : size(bytes),
		status.lastDrill === null ? undefined : `drill ${status.lastDrill.outcome} ${when(status.lastDrill.startedAt, now)}`,
		status.nextRun === null ? undefined : `next run ${when(status.nextRun, now)}`,
		status.running === null ? undefined : `run ${code(status.running)} is under way`,
	].filter(fact => fact !== undefined);
	const troubles = [
		...status.problems.map(({message: text, hint}) => text + (hint ? ` (${hint})` : '')),
		...(status.absent === undefined ? [] : [`backed up ${status.absent}`]),
		...(status.lastRun?.error === undefined ? [] : [`${status.lastRun.outcome}: ${status.lastRun.error}`]),
	];
	return [
		`${lights[standing(row)]} ${code(row.label)}`,
		facts.join(' · '),
		...troubles.slice(0, 3).map(text => `› ${code(text, 400)}`),
	].join('\n');
}
