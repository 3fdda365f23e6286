/** Stands before everything: who may, decided each time anew; what changes something is written to the audit log before it is done, and is done once. */
import type {AccessRules} from '../agent/config/slack.ts';
import {BusyError} from '../base/errors.ts';
import type {Log} from '../base/log.ts';
import {type Action, decide, groupsOf, isChange} from './access.ts';
import type {Origin} from './deliveries.ts';
import type {Host} from './fleet.ts';
import {isOfCommand} from './references.ts';
import type {Slack} from './slack.ts';

/** It is not allowed. The message is for the person. */
export class RefusedError extends Error {
	/** Slack delivered once more what was done already: nothing needs to be said. */
	readonly isRepeated: boolean;

	constructor(message: string, {isRepeated = false} = {}) {
		super(message);
		this.name = 'RefusedError';
		this.isRepeated = isRepeated;
	}
}

export interface Ask {
	action: Action;
	host: Host;
	/** As people read it; undefined: all, or none. */
	target?: string | undefined;
	/** Further targets that it touches: allowed is what is allowed for each. */
	also?: readonly string[];
	/** What the audit log names: the target, or a run. */
	subject: string;
	/** Works once. */
	reference: string;
}

export interface Guard {
	/** Gives the id of the audit entry; 0 for what changes nothing. @throws {RefusedError} */
	allow: (origin: Origin, ask: Ask) => Promise<number>;
	/** Whether it would be allowed; for what is shown. */
	may: (origin: Origin, action: Action, target?: string) => Promise<boolean>;
	/** Writes it down. */
	refuse: (origin: Origin, asked: {action: string; host: Host; subject: string; reason: string}) => Promise<RefusedError>;
}

export interface GuardOptions {
	rules: AccessRules;
	slack: () => Slack;
	log: Log;
	groupsKeptMs?: number;
}

export function createGuard({rules, slack, log, groupsKeptMs = 60_000}: GuardOptions): Guard {
	const groups = createGroups({slack, log, keptMs: groupsKeptMs});
	const ids = groupsOf(rules);
	const verdict = async ({user, teams}: Origin, action: Action, target: string | undefined) =>
		decide(rules, slack().team(), {user, teams, groups: await groups(ids, user)}, {action, target});
	const whoOf = ({user, teams}: Origin) => `slack:${word(teams.at(-1))}/${word(user)}`;

	const refuse: Guard['refuse'] = async (origin, {action, host, subject, reason}) => {
		log.warning('refused in Slack', {user: origin.user, action, subject, reason});
		await host.client
			.recordAudit({
				who: whoOf(origin),
				place: origin.place,
				action,
				subject: subject.slice(0, 1000),
				decision: 'refused',
				reason: reason.slice(0, 1000),
			})
			.catch((error: unknown) => log.warning('a refusal could not be written to the audit log', {error}));
		return new RefusedError(reason);
	};

	return {
		refuse,
		may: async (origin, action, target) => (await verdict(origin, action, target)).allowed,
		async allow(origin, {action, host, target, also = [], subject, reference}) {
			for (const one of new Set([target, ...also])) {
				const decided = await verdict(origin, action, one);
				if (!decided.allowed) {
					throw await refuse(origin, {action, host, subject, reason: decided.reason});
				}
			}

			if (!isChange(action)) {
				return 0;
			}

			try {
				return await host.client.recordAudit({who: whoOf(origin), place: origin.place, action, subject, decision: 'allowed', reference});
			} catch (error) {
				if (!(error instanceof BusyError)) {
					throw error;
				}

				if (isOfCommand(reference)) {
					throw new RefusedError('this was done already', {isRepeated: true});
				}

				throw await refuse(origin, {action, host, subject, reason: 'this was used before'});
			}
		},
	};
}

const word = (id: string | undefined): string => (id ?? '').replaceAll(/[^\w.-]/g, '').slice(0, 40) || 'unknown';

interface Groups {
	slack: () => Slack;
	log: Log;
	keptMs: number;
}

/** Those of the groups that somebody is in. One that cannot be asked has nobody in it. */
function createGroups({slack, log, keptMs}: Groups) {
	const known = new Map<string, {at: number; users: Promise<ReadonlySet<string>>}>();
	const ask = async (id: string): Promise<ReadonlySet<string>> => {
		try {
			const {users} = await slack().call('usergroups.users.list', {usergroup: id});
			return new Set(users as string[]);
		} catch (error) {
			known.delete(id);
			log.warning(`nobody counts as a member of the user group ${id}, which cannot be asked for`, {error});
			return new Set();
		}
	};

	return async (ids: readonly string[], user: string): Promise<ReadonlySet<string>> => {
		const member = await Promise.all(
			ids.map(async id => {
				const kept = known.get(id);
				if (kept === undefined || Date.now() - kept.at > keptMs) {
					known.set(id, {at: Date.now(), users: ask(id)});
				}

				return (await known.get(id)?.users)?.has(user) === true;
			}),
		);
		return new Set(ids.filter((_, index) => member[index]));
	};
}
