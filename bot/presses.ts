/** Buttons. Each carries an order that this bot signed; whether the person may give it is decided now, not when it was shown. */
import type {Origin, Pressed} from './deliveries.ts';
import {answer, answering, type Desk} from './desk.ts';
import type {Placed} from './fleet.ts';
import {showHistory, showOverview, showPoints} from './lists.ts';
import {deniedHome, homeView} from './messages/overview.ts';
import {storyOf, threadMessage, told} from './messages/run.ts';
import {backUp, cancel, drill} from './operate.ts';
import type {Ordered} from './ordering.ts';
import {gather, seenBy} from './overview.ts';
import {lifetimes, type Reference} from './references.ts';
import {openRestore, pickTarget} from './restoring.ts';
import {code, person} from './text.ts';

export async function obeyPress(parts: Ordered, pressed: Pressed, origin: Origin): Promise<void> {
	const {desk} = parts;
	const {references, guard, fleet, slack} = desk;
	const verb = pressed.actionId.replace(/\.\d+$/, '');
	if (verb === 'pick') {
		return pickTarget(desk, origin, pressed);
	}

	await answering(desk, origin, 'Not done', async () => {
		const opened = references.open(pressed.value);
		if ('problem' in opened) {
			const reason = opened.problem === 'forged' ? 'this button is not of this bot' : 'this button is too old: ask again';
			throw await guard.refuse(origin, {action: word(verb), host: fleet.hosts[0], subject: '', reason});
		}

		const {reference} = opened;
		if (reference.verb !== verb || reference.team !== slack.team()) {
			const reason = 'this button was made for something else';
			throw await guard.refuse(origin, {action: word(verb), host: fleet.hosts[0], subject: reference.target ?? '', reason});
		}

		await obey(parts, origin, reference, pressed);
	});
}

async function obey({desk, ordering}: Ordered, origin: Origin, reference: Reference, pressed: Pressed): Promise<void> {
	switch (reference.verb) {
		case 'page':
			return showOverview(desk, origin, reference.page ?? 0, {replace: true});
		case 'home-page':
			return showHome(desk, origin, reference.page ?? 0);
		case 'points':
			return showPoints(desk, origin, placedOf(desk, reference));
		case 'history':
			return showHistory(desk, origin, placedOf(desk, reference));
		case 'backup':
			return backUp(desk, origin, placedOf(desk, reference), reference.id);
		case 'drill':
			return drill(desk, origin, placedOf(desk, reference), reference.id);
		case 'choose':
			return openRestore(desk, origin, async () => placedOf(desk, reference));
		case 'cancel':
		case 'cancel-restore':
			return cancel(desk, origin, reference.run ?? '', reference.id);
		case 'undo':
		case 'finish':
			return settle({desk, ordering}, origin, {...reference, verb: reference.verb}, pressed);
		case 'details':
			return showDetails(desk, origin, reference);
		case 'approve':
		case 'refuse':
			return ordering.decide(origin, reference, pressed);
	}
}

export async function showHome({slack, fleet, guard, references, now}: Desk, origin: Origin, page = 0): Promise<void> {
	const sign = (order: Parameters<typeof references.sign>[0]) => references.sign(order, lifetimes.home);
	const seen = async () => seenBy(async (action, label) => guard.may(origin, action, label), await gather(fleet));
	const view = (await guard.may(origin, 'view'))
		? homeView(await seen(), {page, now: now(), sign})
		: deniedHome('this needs the role viewer');
	await slack.call('views.publish', {user_id: origin.user, view});
}

async function showDetails(desk: Desk, origin: Origin, reference: Reference): Promise<void> {
	const {host, label} = placedOf(desk, reference);
	await desk.guard.allow(origin, {action: 'view', host, target: label, subject: reference.run ?? '', reference: ''});
	const run = await host.client.run(reference.run ?? '');
	let story = storyOf({...run, host: host.name, label, approvers: []});
	if (run.state === 'finished') {
		for await (const event of host.client.follow(run.run, AbortSignal.timeout(20_000))) {
			story = told(story, event);
		}
	}

	await answer(desk, origin, threadMessage(story));
}

/** The message that the button stands on loses its buttons, when it is begun. */
async function settle(
	{desk: {runs, fleet}, ordering}: Ordered,
	origin: Origin,
	{verb, id, run = '', host}: Reference & {verb: 'undo' | 'finish'},
	{message}: Pressed,
): Promise<void> {
	const begun = await ordering.settle(origin, verb, run, id);
	if (message !== undefined && begun !== undefined) {
		await runs.settle(fleet.host(host), run, message, `${verb} was asked for by ${person(origin.user)}: run ${code(begun)}`);
	}
}

function placedOf({fleet}: Desk, {host: name, target = ''}: Reference): Placed {
	const host = fleet.host(name);
	return {host, target, label: fleet.label(host.name, target)};
}

/** Of what was forged, only a word is written down. */
const word = (verb: string): string => verb.replaceAll(/[^a-z-]/g, '').slice(0, 30) || 'unknown';
