/** The modals of a restore, and the message by which others approve it. */
import {createHash} from 'node:crypto';
import {describeRestored} from '../../base/restored.ts';
import type {PointView} from '../../base/shapes/points.ts';
import type {RestorePlan} from '../../base/shapes/restores.ts';
import {duration, size, when} from '../../base/units.ts';
import {type ApprovalRequest, waitsFor} from '../approvals.ts';
import {
	type Block,
	buttons,
	checkbox,
	context,
	divider,
	input,
	type Message,
	message,
	modal,
	type Option,
	section,
	select,
	textField,
	type View,
} from '../blocks.ts';
import {code, codeBlock, date, person, plain, utc} from '../text.ts';
import {sizeOf, verifiedText} from './lists.ts';

/** What a menu sends for a name of any length. */
export const keyOf = (name: string): string => createHash('sha256').update(name).digest('hex').slice(0, 20);

export const waitingView = (text: string, reference = ''): View =>
	modal({callback: 'wait', title: 'Restore', reference, blocks: [section(`⏳ ${text}`)]});

export const endView = (mark: string, text: string, error?: string): View =>
	modal({
		callback: 'end',
		title: 'Restore',
		reference: '',
		blocks: [section(`${mark} ${text}${error === undefined ? '' : `\n${codeBlock(error)}`}`)],
	});

/** First of all: which target. */
export const targetView = (labels: readonly string[], reference: string): View =>
	modal({
		callback: 'wait',
		title: 'Restore',
		reference,
		blocks:
			labels.length === 0
				? [section('There is no target to restore.')]
				: [
						section('Which target?'),
						{
							type: 'actions',
							block_id: 'target',
							elements: [select({id: 'pick.0', placeholder: 'Target', options: targetOptions(labels)})],
						},
					],
	});

const targetOptions = (labels: readonly string[]): Option[] => labels.slice(0, 10_000).map(label => ({value: keyOf(label), text: label}));

interface Choice {
	label: string;
	points: readonly PointView[];
	/** Chosen already. */
	point: string | undefined;
	reference: string;
}

const all = 'all';
const databases = 'databases';
/** As many as a menu takes, without `everything` and `databases only`. */
const mostSources = 98;

/** Then: which point, and what of it. */
export function choiceView({label, points, point, reference}: Choice): View {
	const [newest] = points;
	if (newest === undefined) {
		return endView('⚠️', `${code(label)} has no restore point.`);
	}

	const known = points.slice(0, 100);
	const chosen = known.some(candidate => candidate.point === point) ? point : newest.point;
	return modal({
		callback: 'choose',
		title: 'Restore',
		submit: 'Check',
		reference,
		blocks: [
			section(`*Target* ${code(label)}`),
			input('point', 'Restore point', select({id: 'point', placeholder: 'Point', options: known.map(pointOption), initial: chosen})),
			input('what', 'What', select({id: 'what', placeholder: 'What', options: whatOptions(points), initial: all}), {
				hint: 'What is left as it is may not fit what is restored.',
			}),
			input('into', 'Beside, as a database of this name', textField('into', 'empty: the present data is replaced, and kept'), {
				optional: true,
			}),
			context('Next, Holdfast checks whether the point is complete and fits. Nothing is changed yet.'),
		],
	});
}

const pointOption = (point: PointView): Option => ({
	value: point.point,
	text: `${utc(point.time)} · ${size(sizeOf(point))} · ${verifiedText(point)}`,
	description: point.point,
});

const sourcesOf = (points: readonly PointView[]): string[] => [
	...new Set(points.flatMap(({sources}) => sources.map(({source}) => source))),
];

const databasesOf = (points: readonly PointView[]): string[] =>
	sourcesOf(points.map(point => ({...point, sources: point.sources.filter(({isDatabase}) => isDatabase)})));

/** Names that a signed reference could not carry are left to the command line. */
const offered = (points: readonly PointView[]): string[] =>
	sourcesOf(points)
		.filter(({length}) => length <= 500)
		.slice(0, mostSources);

function whatOptions(points: readonly PointView[]): Option[] {
	const sources = offered(points);
	const isDatabase = new Set(databasesOf(points));
	const mixed = sources.some(source => isDatabase.has(source)) && !sources.every(source => isDatabase.has(source));
	return [
		{value: all, text: 'Everything'},
		...(mixed ? [{value: databases, text: 'Databases only'}] : []),
		...(sources.length > 1 ? sources.map(source => ({value: keyOf(source), text: `Only ${source}`})) : []),
	];
}

/** Which sources a choice stands for; empty: all. Undefined: it was never offered. */
export function chosenSources(what: string, points: readonly PointView[], point: string): string[] | undefined {
	if (what === all) {
		return [];
	}

	const present = points.filter(candidate => candidate.point === point);
	const found = what === databases ? databasesOf(present) : offered(points).filter(source => keyOf(source) === what);
	return found.length === 0 ? undefined : found;
}

interface Confirmation {
	label: string;
	plan: RestorePlan;
	/** Seconds that the last restore of this target took the application away. */
	lastOutage: number | undefined;
	/** How many people it needs. */
	needed: number;
	now: number;
	reference: string;
}

/** Last: what will happen, and the target's name, typed. */
export function confirmView({label, plan, lastOutage, needed, now, reference}: Confirmation): View {
	// An agent of an earlier version counts nothing.
	const {point, sources, storages = [], stop, warnings, into, acknowledge} = plan;
	const outage =
		stop.length === 0
			? 'Nothing is stopped.'
			: `These are stopped meanwhile: ${stop
					.slice(0, 20)
					.map(name => code(name))
					.join(
						' ',
					)}${stop.length > 20 ? ` and ${stop.length - 20} more` : ''}. What is restored is loaded before that.${lastOutage === undefined ? '' : ` The last restore took ${duration(lastOutage)}.`}`;
	return modal({
		callback: 'confirm',
		title: 'Restore',
		submit: needed > 1 ? 'Ask for approval' : 'Restore',
		reference,
		blocks: [
			section(
				`*Target* ${code(label)}\n*Point* ${date(point.time)} (${when(point.time, now)}) · ${verifiedText(point)} · ${code(point.point)}`,
			),
			section(
				`${into === null ? '*Replaced*' : `*Restored beside the present data, as* ${code(into)}`}\n${codeBlock(sources.map(source => sourceLine(source, point)).join('\n'), 2500)}`,
			),
			...(storages.length === 0 ? [] : [section(`*Files*\n${codeBlock(storages.map(describeRestored).join('\n'), 2500)}`)]),
			section(`*Outage*\n${outage}`),
			...warnings.slice(0, 10).map(warning => section(`⚠️ ${codeBlock(warning, 2000)}`)),
			divider,
			...(acknowledge === null ? [] : [input('warned', 'What this target warns of', checkbox('warned', 'I have read the warnings'))]),
			input('confirm', "Type the target's name to go on", textField('confirm', label)),
			context(
				needed > 1
					? `${waitsFor(needed)}. What is replaced is kept, and can be put back.`
					: 'What is replaced is kept, and can be put back.',
			),
		],
	});
}

function sourceLine(source: string, {sources}: PointView): string {
	const bytes = sources.find(stored => stored.source === source)?.bytes;
	return bytes === undefined ? source : `${source}  ${size(bytes)}`;
}

interface Approval {
	request: ApprovalRequest;
	label: string;
	pointTime: string | undefined;
	/** Signed for the request as it is now. */
	approve: string;
	refuse: string;
}

export function approvalMessage({request, label, pointTime, approve, refuse}: Approval): Message {
	const {isRestore, verb, effect} = wordsOf(request);
	return message(`Approval needed: ${verb} of ${code(label)}`, [
		section(
			`🔐 ${person(request.by)} asks to *${verb}* ${isRestore ? '' : 'a restore of '}${code(label)}\n${approvalFacts(request, pointTime)}`,
		),
		context(`${waitingFor(request)} · until ${date(request.until)}`),
		...buttons([
			{
				verb: 'approve',
				text: 'Approve',
				style: 'primary',
				value: approve,
				confirm: {
					title: `Approve this ${verb}?`,
					text: `${plain(label, 100)} ${effect}`,
					yes: 'Approve',
				},
			},
			{verb: 'refuse', text: 'Refuse', style: 'danger', value: refuse},
		]),
	]);
}

/** What is asked for, and what comes of it. */
function wordsOf({settles}: ApprovalRequest): {isRestore: boolean; verb: string; effect: string} {
	switch (settles?.verb) {
		case 'undo':
			return {isRestore: false, verb: 'undo', effect: 'will be as it was before the restore; what was written since is lost.'};
		case 'finish':
			return {
				isRestore: false,
				verb: 'finish',
				effect: 'keeps what was restored; what it replaced is let go, and there is no undo any more.',
			};
		default:
			return {isRestore: true, verb: 'restore', effect: 'will be put back to the point, its services stopped meanwhile.'};
	}
}

function approvalFacts({point, only, into, settles}: ApprovalRequest, pointTime: string | undefined): string {
	if (settles !== undefined) {
		return `*Restore* run ${code(settles.run)}`;
	}

	const what =
		only.length === 0
			? 'everything'
			: only
					.slice(0, 10)
					.map(source => code(source))
					.join(' ');
	return `*Point* ${pointTime === undefined ? '' : `${date(pointTime)} · `}${code(point)}\n*What* ${what}${into === undefined ? '' : `\n*Beside, as* ${code(into)}`}`;
}

const waitingFor = ({approvers, needed}: ApprovalRequest): string => {
	const missing = needed - 1 - approvers.length;
	const so = approvers.length === 0 ? '' : ` · approved by ${approvers.map(person).join(', ')}`;
	return `waiting for ${missing} more ${missing === 1 ? 'person' : 'people'}${so}`;
};

/** How it ended: without buttons. */
export function decidedMessage({request, label, outcome}: {request: ApprovalRequest; label: string; outcome: string}): Message {
	const {isRestore, verb} = wordsOf(request);
	const blocks: Block[] = [
		section(
			`🔐 ${person(request.by)} asked to *${verb}* ${isRestore ? '' : 'a restore of '}${code(label)}\n${approvalFacts(request, undefined)}`,
		),
		context(`${outcome}${request.approvers.length === 0 ? '' : ` · approved by ${request.approvers.map(person).join(', ')}`}`),
	];
	return message(`${isRestore ? 'Restore' : `The ${verb}`} of ${code(label)}: ${outcome}`, blocks);
}
