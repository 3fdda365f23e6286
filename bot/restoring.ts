/** The story of a restore in Slack: choose, check, confirm; `ordering.ts` goes on from there. */
import {marksOf} from '../base/acknowledged.ts';
import {explain} from '../base/errors.ts';
import {approvalsFor} from './access.ts';
import {type RestoreOrder, waitsFor} from './approvals.ts';
import type {View} from './blocks.ts';
import type {Origin, Pressed, Submission, Submitted} from './deliveries.ts';
import type {Desk} from './desk.ts';
import type {Placed} from './fleet.ts';
import {RefusedError} from './guard.ts';
import {choiceView, chosenSources, confirmView, endView, keyOf, targetView, waitingView} from './messages/restore.ts';
import type {Ordered, Ordering} from './ordering.ts';
import {lifetimes, type Order, type Reference} from './references.ts';
import {code} from './text.ts';

/** Opens the modal at once, and fills it when the agents have answered. */
export async function openRestore(desk: Desk, origin: Origin, wanted: () => Promise<Placed | undefined>, point?: string): Promise<void> {
	const {slack, fleet, guard} = desk;
	const opened = await slack.call('views.open', {
		trigger_id: origin.triggerId,
		view: waitingView('Asking the agent …', signed(desk, {verb: 'pick', by: origin.user})),
	});
	const {id} = opened.view as {id: string};
	await inModal(desk, id, 'The restore cannot be prepared', async () => {
		const placed = await wanted();
		if (placed !== undefined) {
			return choose(desk, origin, placed, point);
		}

		const {targets} = await fleet.targets();
		const allowed = await Promise.all(targets.map(async ({label}) => guard.may(origin, 'restore', label)));
		const labels = targets.filter((_, index) => allowed[index]).map(({label}) => label);
		if (labels.length === 0 && targets.length > 0) {
			throw await guard.refuse(origin, {action: 'restore', host: fleet.hosts[0], subject: '', reason: 'this needs the role restorer'});
		}

		return targetView(labels, signed(desk, {verb: 'pick', by: origin.user}));
	});
}

/** A target was picked in it. */
export async function pickTarget(desk: Desk, origin: Origin, {view, value}: Pressed): Promise<void> {
	if (view === undefined) {
		return;
	}

	await inModal(desk, view.id, 'The restore cannot be prepared', async () => {
		await referenceOf(desk, view, origin, 'pick');
		const placed = (await desk.fleet.targets()).targets.find(({label}) => keyOf(label) === value);
		return placed === undefined ? endView('⚠️', 'That target is gone.') : choose(desk, origin, placed);
	});
}

/** The next step of it. Answered at once. */
export function submitModal({desk, ordering}: Ordered, view: Submitted, origin: Origin): Submission | undefined {
	const {callback, reference: text, values, id} = view;
	if (callback === 'choose') {
		return {
			answer: {response_action: 'update', view: waitingView('Checking whether the point is complete and fits …', text)},
			work: async () =>
				inModal(desk, id, 'The restore cannot be prepared', async () =>
					check(desk, origin, await referenceOf(desk, view, origin, 'choose'), values),
				),
		};
	}

	if (callback !== 'confirm') {
		return undefined;
	}

	const errors = mistakes(view, desk);
	return Object.keys(errors).length > 0
		? {answer: {response_action: 'errors', errors}, work: async () => {}}
		: {
				answer: {response_action: 'update', view: waitingView('Asking for the restore …', text)},
				work: async () =>
					inModal(desk, id, 'The restore was not begun', async () =>
						confirm(desk, ordering, origin, await referenceOf(desk, view, origin, 'restore')),
					),
			};
}

async function choose(desk: Desk, origin: Origin, placed: Placed, point?: string): Promise<View> {
	await allowRestore(desk, origin, placed);
	const {host, target, label} = placed;
	const points = await host.client.points(target);
	return choiceView({label, points, point, reference: signed(desk, {verb: 'choose', host: host.name, target, by: origin.user})});
}

async function check(
	desk: Desk,
	origin: Origin,
	{host: name, target = ''}: Reference,
	{point = '', what = '', into = ''}: Readonly<Record<string, string>>,
): Promise<View> {
	const {fleet, rules, now} = desk;
	const host = fleet.host(name);
	const placed = {host, target, label: fleet.label(host.name, target)};
	await allowRestore(desk, origin, placed);
	const points = await host.client.points(target);
	const only = chosenSources(what, points, point);
	if (only === undefined) {
		return endView('⚠️', `Point ${code(point)} has nothing of what was chosen.`);
	}

	const beside = into.trim() === '' ? {} : {into: into.trim()};
	const plan = await host.client.planRestore({target, point, only, ...beside, trigger: `slack:${origin.user}`});
	const earlier = (await host.client.runs({target, limit: 100})).find(
		({operation, outcome}) => operation === 'restore' && outcome === 'success',
	);
	const lastOutage = earlier?.result && 'outageSeconds' in earlier.result ? earlier.result.outageSeconds : undefined;
	const order = {
		verb: 'restore',
		host: name,
		target,
		point: plan.point.point,
		only,
		...beside,
		by: origin.user,
		acknowledged: marksOf(plan.acknowledge),
	};
	return confirmView({
		label: placed.label,
		plan,
		lastOutage,
		needed: approvalsFor(rules, placed.label),
		now: now(),
		reference: signed(desk, order),
	});
}

async function confirm({fleet, rules}: Desk, ordering: Ordering, origin: Origin, reference: Reference): Promise<View> {
	const {host = '', target = '', point = '', only = [], into, acknowledged = []} = reference;
	const order: RestoreOrder = {host, target, point, only, into, acknowledged, by: origin.user};
	const needed = approvalsFor(rules, fleet.label(host, target));
	const run = await ordering.order(origin, order, reference.id, needed);
	return run === undefined
		? endView('🔐', `${waitsFor(needed)}. The channel shows who.`)
		: endView('✅', `The restore began: run ${code(run)}. The channel shows how it goes.`);
}

async function allowRestore({guard}: Desk, origin: Origin, {host, target, label}: Placed): Promise<void> {
	if (!(await guard.may(origin, 'restore', label))) {
		throw await guard.refuse(origin, {action: 'restore', host, subject: target, reason: `this needs the role restorer for ${label}`});
	}
}

/** The modal belongs to who opened it. */
async function referenceOf(
	{references, guard, fleet, slack}: Desk,
	{reference: text}: Submitted,
	origin: Origin,
	verb: string,
): Promise<Reference> {
	const opened = references.open(text);
	if ('problem' in opened) {
		const reason = opened.problem === 'forged' ? 'this modal is not of this bot' : 'this modal is too old: ask again';
		throw await guard.refuse(origin, {action: verb, host: fleet.hosts[0], subject: '', reason});
	}

	const {reference} = opened;
	if (reference.verb !== verb || reference.by !== origin.user || reference.team !== slack.team()) {
		throw await guard.refuse(origin, {
			action: verb,
			host: fleet.host(reference.host),
			subject: reference.target ?? '',
			reason: 'this modal is not for this person and purpose',
		});
	}

	return reference;
}

/** What goes wrong is shown in the modal. */
async function inModal({slack}: Desk, viewId: string, what: string, work: () => Promise<View>): Promise<void> {
	let view: View;
	try {
		view = await work();
	} catch (error) {
		view = error instanceof RefusedError ? endView('⛔', `${what}: ${code(error.message, 500)}`) : endView('❌', what, explain(error));
	}

	await slack.call('views.update', {view_id: viewId, view});
}

const signed = ({references}: Desk, order: Order): string => references.sign(order, lifetimes.modal);

/** Judged while Slack waits: nothing is asked of anybody. */
function mistakes({reference: text, values}: Submitted, {references, fleet}: Desk): Record<string, string> {
	const opened = references.open(text);
	if ('problem' in opened) {
		return {};
	}

	const {host = '', target = '', acknowledged = []} = opened.reference;
	const label = fleet.label(host, target);
	return {
		...(values.confirm?.trim() === label ? {} : {confirm: 'This is not the name of the target.'}),
		...(acknowledged.length > 0 && values.warned !== 'yes' ? {warned: 'Read the warnings first.'} : {}),
	};
}
