/** Who may do what. Pure; whatever is not allowed here is refused. */
import type {AccessRules, People, TargetRule} from '../agent/config/slack.ts';

/** In the order of what they may do: each may do what those before it may. */
const roles = ['viewer', 'operator', 'restorer'] as const;

export type Role = (typeof roles)[number];

/** What each action needs. */
const needed = {
	view: 'viewer',
	backup: 'operator',
	drill: 'operator',
	check: 'operator',
	cancel: 'operator',
	export: 'restorer',
	restore: 'restorer',
	approve: 'restorer',
	refuse: 'restorer',
	undo: 'restorer',
	finish: 'restorer',
	'cancel-restore': 'restorer',
} as const satisfies Record<string, Role>;

export type Action = keyof typeof needed;

export const actions = Object.keys(needed) as Action[];

/** Whether it changes something: then it is recorded before it is done, and what asks for it works once. */
export const isChange = (action: Action): boolean => action !== 'view' && action !== 'export';

export interface Person {
	user: string;
	/** Every team that Slack names for this person and this request. */
	teams: readonly string[];
	/** The user groups that this person is in, as far as the rules name them. */
	groups: ReadonlySet<string>;
}

export interface Asked {
	action: Action;
	/** As people write it, with its host where there are several; undefined: what concerns no target. */
	target?: string | undefined;
}

export type Verdict = {allowed: true} | {allowed: false; reason: string};

/** @param team the bot's own; undefined while it is not known: then nobody may do anything */
export function decide(rules: AccessRules, team: string | undefined, person: Person, {action, target}: Asked): Verdict {
	if (team === undefined || person.teams.length === 0 || person.teams.some(other => other !== team)) {
		return {allowed: false, reason: 'this person is of another team'};
	}

	const role = needed[action];
	const lists = listsFor(rules, target);
	const mayAlready = roles.slice(roles.indexOf(role)).some(candidate => isIn(lists[candidate], person));
	return mayAlready
		? {allowed: true}
		: {allowed: false, reason: `this needs the role ${role}${target === undefined ? '' : ` for ${target}`}`};
}

type Lists = Record<Role, People | undefined>;

function listsFor(rules: AccessRules, target: string | undefined): Lists {
	const rule = ruleFor(rules, target);
	return {
		viewer: rule?.viewers ?? rules.viewers,
		operator: rule?.operators ?? rules.operators,
		restorer: rule?.restorers ?? rules.restorers,
	};
}

/** How many people a restore of the target needs. */
export const approvalsFor = (rules: AccessRules, target: string): number => ruleFor(rules, target)?.approvals ?? rules.approvals;

/** What touches several targets needs as many as the strictest of them. */
export const approvalsForAll = (rules: AccessRules, targets: readonly string[]): number =>
	Math.max(...targets.map(target => approvalsFor(rules, target)));

const ruleFor = (rules: AccessRules, target: string | undefined): TargetRule | undefined =>
	target === undefined ? undefined : rules.targets.find(({match}) => matches(match, target));

/** `*` stands for any text. */
function matches(pattern: string, target: string): boolean {
	const [first = '', ...rest] = pattern.split('*');
	if (rest.length === 0) {
		return pattern === target;
	}

	const last = rest.pop() ?? '';
	let at = first.length;
	for (const part of rest) {
		const found = target.indexOf(part, at);
		if (found === -1) {
			return false;
		}

		at = found + part.length;
	}

	return target.startsWith(first) && target.endsWith(last) && target.length - last.length >= at;
}

/** Only `viewers` may be undefined, which is everybody of the team. */
const isIn = (people: People | undefined, {user, groups}: Person): boolean =>
	people === undefined || people.includes(user) || people.some(id => groups.has(id));

/** The user groups that any rule names. */
export function groupsOf({viewers, operators, restorers, targets}: AccessRules): string[] {
	const lists = [viewers, operators, restorers, ...targets.flatMap(rule => [rule.viewers, rule.operators, rule.restorers])];
	return [...new Set(lists.flatMap(people => people ?? []).filter(id => id.startsWith('S')))];
}
