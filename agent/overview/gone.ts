/**
 * Targets that were backed up and are not found any more: they are missed until they come back, another agent is seen to back them up where Swarm
 * has moved them, or a person says that it is meant so.
 */

import {NotFoundError, UsageError} from '../../base/errors.ts';
import {label} from '../../base/label.ts';
import type {Notices} from '../../base/notices.ts';
import type {BackupResult} from '../../base/results.ts';
import type {GoneTarget, MovedTarget} from '../../base/shapes/targets.ts';
import type {Container} from '../../docker/container.ts';
import type {Ownership} from '../repository/owner.ts';
import type {State} from '../state/state.ts';
import {momentMs} from '../state/watched.ts';
import type {Target} from '../targets/target.ts';
import {describeMoved, describeProbable, describeRenamed, whatOthersFile, whereabouts} from './gone-words.ts';
import type {Ledger} from './ledger.ts';
import type {FiledElsewhere} from './moved.ts';
import {type BackedUp, probablyRenamedTo, renamedTo, storagesOf} from './renamed.ts';

interface Parts {
	state: Pick<State, 'see' | 'miss' | 'watched' | 'unwatch' | 'tellOnce' | 'runs' | 'keepStorages' | 'storages' | 'hereSince'>;
	/** This one: its id, and the name under which it files. */
	own: {agent: string; host: string};
	/** What a person said of new names. */
	ownership: () => Pick<Ownership, 'targetOf'>;
	notices: Pick<Notices, 'send'>;
	ledger: Pick<Ledger, 'elsewhere'>;
	/** The share that may go without being noticed. */
	shrinkLimit: number;
	/** Of labels. */
	prefix: string;
	now?: () => number;
}

export interface Away {
	gone: GoneTarget[];
	moved: MovedTarget[];
}

export interface Missing {
	/** @param targets what there is now, as far as this agent serves it @returns who is missed, and who is looked after elsewhere */
	look: (targets: readonly Target[], containers: readonly Container[]) => Away;
	/** @param present names of the targets that there are @throws {NotFoundError | UsageError} */
	forget: (target: string, present: readonly string[]) => void;
}

export function createMissing({state, own, ownership, notices, ledger, shrinkLimit, prefix, now = Date.now}: Parts): Missing {
	const lastRun = (target: string) => state.runs({target, operation: 'backup', outcome: 'success', limit: 1})[0];
	const lastSuccess = (target: string): number | undefined => lastRun(target)?.finishedAt ?? undefined;

	const backedUp = (target: string): BackedUp[] => {
		const run = lastRun(target);
		return run?.finishedAt == null || run.result === null
			? []
			: [{target, storages: state.storages(target), last: run.result as BackupResult, at: run.finishedAt}];
	};

	/** It is here, by another name. */
	const renamed = (target: string, since: number, present: ReadonlySet<string>): MovedTarget | undefined => {
		const [gone] = backedUp(target);
		const other = gone && renamedTo(gone, [...present].flatMap(backedUp), {since, shrinkLimit});
		return other && describeRenamed(target, other, own);
	};

	/** In a project with a new name, and with volumes of its own: nobody but a person knows whether the data went with it. */
	const probably = (target: string, since: number, present: ReadonlySet<string>): {where: string; hint: string} | undefined => {
		const all = [...present].map(other => ({target: other, storages: state.storages(other), hereSince: state.hereSince(other)}));
		const other = probablyRenamedTo({target, storages: state.storages(target)}, all, since);
		return other && describeProbable(target, other.target, {before: backedUp(target)[0], now: backedUp(other.target)[0]});
	};

	/** @param at of its last success here: what it files later, should it be there again, is its own */
	const nameNow = (target: string, at: number): string =>
		// To the second, as what was said is kept.
		ownership().targetOf({id: '', agent: own.agent, host: own.host, target, time: new Date(Math.floor(at / 1000) * 1000)});

	const describe = (
		target: string,
		since: number,
		{containers, present}: {containers: readonly Container[]; present: ReadonlySet<string>},
	): GoneTarget => {
		const success = lastSuccess(target);
		const until = success === undefined ? '' : ` until ${new Date(success).toISOString()}`;
		const other = ledger.elsewhere(target);
		const renamedProject = other === undefined ? probably(target, since, present) : undefined;
		const where = other === undefined ? (renamedProject?.where ?? whereabouts(target, containers, prefix)) : `: ${whatOthersFile(other)}`;
		const there =
			other === undefined ? 'bring it back; or if it is gone on purpose' : 'bring it back; or if it is meant to be there, and whole';
		return {
			target,
			since: new Date(since).toISOString(),
			message: `\`${target}\` was backed up${until} and is not found any more${where}; its restore points are kept`,
			hint: renamedProject?.hint ?? `${there}: holdfast forget ${target}; or if it has a new name: holdfast move ${target} NEW`,
		};
	};

	/** Swarm has it elsewhere, and the agent there backs it up as it should: whole, and not too long ago. */
	const movedTo = (target: string): FiledElsewhere | undefined => {
		const other = ledger.elsewhere(target);
		return other?.isMoved === true &&
			now() - other.time.getTime() <= other.patienceMs &&
			other.bytes >= other.ours.bytes * (1 - shrinkLimit)
			? other
			: undefined;
	};

	const away = (containers: readonly Container[], present: ReadonlySet<string>): Away => {
		const found: Away = {gone: [], moved: []};
		for (const {target, goneSince} of state.watched()) {
			if (goneSince !== null && lastSuccess(target) !== undefined) {
				const other = movedTo(target);
				const moved = other === undefined ? renamed(target, goneSince, present) : describeMoved(target, other);
				if (moved === undefined) {
					found.gone.push(describe(target, goneSince, {containers, present}));
				} else {
					found.moved.push(moved);
				}
			}
		}

		return found;
	};

	/** Nobody misses it any more: who was told that it is gone is told why. */
	const tellBack = (target: string, text: string): void => {
		if (state.tellOnce(`gone ${target}`, null)) {
			notices.send({kind: 'back', target, text, at: now()});
		}
	};

	/** Which there are, and who is missed since when. */
	const remember = (targets: readonly Target[], present: ReadonlySet<string>): void => {
		for (const target of targets) {
			state.see(target.name, now());
			tellBack(target.name, `\`${target.name}\` is there again`);
			state.keepStorages(target.name, storagesOf(target));
		}

		for (const {target} of state.watched().filter(each => !present.has(each.target))) {
			state.miss(target, now());
		}
	};

	/** Those of which a person has said what they are called now. */
	const letGo = (present: ReadonlySet<string>): void => {
		for (const {target, goneSince} of state.watched()) {
			const success = goneSince === null ? undefined : lastSuccess(target);
			const name = success === undefined ? target : nameNow(target, success);
			if (name !== target && present.has(name)) {
				state.unwatch(target);
				tellBack(target, `\`${target}\` is called \`${name}\` now, as was said by \`holdfast move\``);
			}
		}
	};

	const tell = ({gone, moved}: Away): void => {
		for (const {target, since, message, hint} of gone) {
			if (now() - Date.parse(since) >= momentMs && state.tellOnce(`gone ${target}`, since)) {
				notices.send({kind: 'gone', target, text: message, hint, at: now()});
			}
		}

		for (const {target, message} of moved) {
			tellBack(target, message);
		}
	};

	return {
		look(targets, containers) {
			const present = new Set(targets.map(({name}) => name));
			remember(targets, present);
			letGo(present);
			const found = away(containers, present);
			tell(found);
			return found;
		},
		forget(target, present) {
			if (present.includes(target)) {
				throw new UsageError(`\`${target}\` is still there: it is backed up by its labels`, {
					hint: `take the label ${label('enable')} away from it first`,
				});
			}

			if (!state.unwatch(target)) {
				throw new NotFoundError(`no target \`${target}\` is missed`, {hint: '`holdfast status` shows those that are'});
			}

			state.tellOnce(`gone ${target}`, null);
		},
	};
}
