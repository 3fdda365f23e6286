/** `/backup` and `/restore`: words in, one call on an agent, an answer out. */

import {createHash} from 'node:crypto';
import {within} from '../agent/api/fleet.ts';
import {BusyError, explain} from '../base/errors.ts';
import {repositoryTarget} from '../base/results.ts';
import {type Action, approvalsForAll} from './access.ts';
import type {Origin} from './deliveries.ts';
import {answer, answering, type Desk, start} from './desk.ts';
import type {Host, Placed} from './fleet.ts';
import {RefusedError} from './guard.ts';
import {doctorMessage, failure, helpMessage, historyMessage, notice, pointsMessage} from './messages/lists.ts';
import {overviewMessage, type Sign} from './messages/overview.ts';
import {createOrdering} from './ordering.ts';
import {gather, seenBy} from './overview.ts';
import {lifetimes} from './references.ts';
import type {Restoring} from './restoring.ts';
import {code, person} from './text.ts';
import {parseBackup, parseRestore, type Spoken} from './words.ts';

export interface Commands {
	run: (command: string, text: string, origin: Origin) => Promise<void>;
	/** Also what buttons ask for. */
	overview: (origin: Origin, page: number, options?: {replace?: boolean}) => Promise<void>;
	points: (origin: Origin, placed: Placed) => Promise<void>;
	history: (origin: Origin, placed: Placed | undefined) => Promise<void>;
	backup: (origin: Origin, placed: Placed, reference: string) => Promise<void>;
	drill: (origin: Origin, placed: Placed, reference: string) => Promise<void>;
	cancel: (origin: Origin, run: string, reference: string) => Promise<void>;
	/** Gives the run that does it; undefined where others must approve first. */
	settle: (origin: Origin, verb: 'undo' | 'finish', run: string, reference: string) => Promise<string | undefined>;
}

/** Slack may deliver a command twice, also to a bot that was started again in between. */
const referenceOf = ({delivery}: Origin, part = ''): string =>
	`command-${createHash('sha256').update(`${delivery} ${part}`).digest('hex').slice(0, 40)}`;

export function createCommands(desk: Desk, restoring: Restoring): Commands {
	const {fleet, guard, references, now} = desk;
	const ordering = createOrdering(desk);
	const sign: Sign = order => references.sign(order, lifetimes.answer);
	const view = async (origin: Origin, target?: string) => {
		await guard.allow(origin, {action: 'view', host: fleet.hosts[0], target, subject: target ?? '', reference: ''});
	};

	const beginOne = async (origin: Origin, operation: 'backup' | 'drill', placed: Placed, reference: string): Promise<void> => {
		const {host, target, label} = placed;
		const run = await start(desk, origin, {
			action: operation,
			placed,
			reference,
			operation,
			begin: async trigger => {
				const [started] =
					operation === 'drill'
						? await host.client.drill({target, point: 'latest'}, trigger)
						: await host.client.backup({targets: [target]}, trigger);
				if (started === undefined || !('run' in started)) {
					const {error = 'the agent did not begin it', hint = '', status = 0} = started ?? {};
					throw new (status === 409 ? BusyError : Error)(`${error}${hint ? ` (${hint})` : ''}`);
				}

				return started.run;
			},
		});
		await answer(desk, origin, notice('▶️', `${operation} of ${code(label)} is run ${code(run)}`));
	};

	const commands: Commands = {
		async run(command, text, origin) {
			const spoken = command === '/restore' ? parseRestore(text) : parseBackup(text);
			await answering(desk, origin, 'Not done', async () => obey(spoken, origin));
		},
		async overview(origin, page, options) {
			await view(origin);
			const seen = await seenBy(async (action, label) => guard.may(origin, action, label), await gather(fleet));
			await answer(desk, origin, overviewMessage(seen, {page, now: now(), sign}), options);
		},
		async points(origin, {host, target, label}) {
			await view(origin, label);
			const points = await host.client.points(target);
			const mayRestore = await guard.may(origin, 'restore', label);
			await answer(desk, origin, pointsMessage({host: host.name, target, label, points, now: now(), sign, mayRestore}));
		},
		async history(origin, placed) {
			await view(origin, placed?.label);
			const hosts = placed === undefined ? fleet.hosts : [placed.host];
			const troubles: string[] = [];
			const runs = await Promise.all(
				hosts.map(async host => {
					const asked = fleet.ask(host, host.client.runs({target: placed?.target, limit: 30}));
					const views = await asked.catch((error: unknown) => {
						if (hosts.length === 1) {
							throw error;
						}

						troubles.push(`${host.name}: ${explain(error)}`);
						return [];
					});
					return views.map(view => ({label: fleet.label(host.name, view.target), view}));
				}),
			);
			const visible = await Promise.all(runs.flat().map(async run => ((await guard.may(origin, 'view', run.label)) ? [run] : [])));
			const newest = visible.flat().sort((a, b) => (a.view.run < b.view.run ? 1 : -1));
			await answer(desk, origin, historyMessage(newest.slice(0, 30), {title: placed?.label ?? '', troubles}));
		},
		async backup(origin, placed, reference) {
			await beginOne(origin, 'backup', placed, reference);
		},
		async drill(origin, placed, reference) {
			await beginOne(origin, 'drill', placed, reference);
		},
		async cancel(origin, run, reference) {
			const placed = await fleet.ofRun(run);
			const action: Action = placed.operation === 'restore' ? 'cancel-restore' : 'cancel';
			const also = await fleet.touched(placed);
			const entry = await guard.allow(origin, {action, host: placed.host, target: placed.label, also, subject: run, reference});
			try {
				await placed.host.client.cancel(run);
			} catch (error) {
				await placed.host.client.completeAudit(entry, {outcome: explain(error).slice(0, 1000)});
				throw error;
			}

			await placed.host.client.completeAudit(entry, {outcome: 'done'});
			await answer(desk, origin, notice('⏹️', `run ${code(run)} of ${code(placed.label)} is stopped`));
		},
		async settle(origin, verb, run, reference) {
			const {host, target, label} = await fleet.ofRun(run);
			const order = {host: host.name, target, point: '', only: [], acknowledged: [], settles: {verb, run}, by: origin.user};
			const needed = approvalsForAll(desk.rules, await fleet.touched({host, target, label}));
			if (needed > 1) {
				await ordering.askOthers(origin, order, {id: reference}, needed);
				await answer(desk, origin, notice('🔐', `${verb} of restore ${code(run)}: ${needed - 1} more must approve within 15 minutes`));
				return undefined;
			}

			const begun = await ordering.begin(origin, order, reference, []);
			await answer(desk, origin, notice('▶️', `${verb} of restore ${code(run)} is run ${code(begun)}`));
			return begun;
		},
	};

	/** Each on its own: one that is busy does not keep the others. */
	const backupAll = async (origin: Origin): Promise<void> => {
		const {targets, silent} = await fleet.targets();
		const troubles = silent.map(({host, why}) => `${host}: ${why}`);
		const quiet = {...origin, responseUrl: undefined};
		let begun = 0;
		for (const placed of targets) {
			try {
				const {host, target} = placed;
				await start(desk, quiet, {
					action: 'backup',
					placed,
					reference: referenceOf(origin, placed.label),
					operation: 'backup',
					begin: async trigger => {
						const [started] = await host.client.backup({targets: [target]}, trigger);
						if (started === undefined || !('run' in started)) {
							throw new Error(started?.error ?? 'the agent did not begin it');
						}

						return started.run;
					},
				});
				begun++;
			} catch (error) {
				if (!(error instanceof RefusedError && error.isRepeated)) {
					troubles.push(`${placed.label}: ${explain(error)}`);
				}
			}
		}

		await answer(desk, origin, notice('▶️', `${begun} of ${targets.length} backups began`));
		if (troubles.length > 0) {
			await answer(desk, origin, failure(`${troubles.length} did not begin, or could not be asked`, troubles.join('\n')));
		}
	};

	const check = async (origin: Origin): Promise<void> => {
		for (const host of fleet.hosts) {
			const target = repositoryTarget('primary');
			const placed = {host, target, label: fleet.label(host.name, target)};
			const reference = referenceOf(origin, host.name);
			const run = await start(desk, origin, {
				action: 'check',
				placed,
				reference,
				operation: 'check',
				begin: async trigger => host.client.check(null, trigger),
			});
			await answer(desk, origin, notice('▶️', `check of ${code(placed.label)} is run ${code(run)}`));
		}
	};

	const doctor = async (origin: Origin): Promise<void> => {
		await view(origin);
		const hosts = await Promise.all(fleet.hosts.map(async ({name, client}) => ({host: name, findings: await findingsOf({name, client})})));
		await answer(desk, origin, doctorMessage(hosts));
	};

	const exporting = async (origin: Origin, {host, target, label}: Placed): Promise<void> => {
		await guard.allow(origin, {action: 'export', host, target: label, subject: target, reference: ''});
		const [point] = await host.client.points(target);
		const text =
			point === undefined
				? `${code(label)} has no restore point to export`
				: `Data never goes through Slack. On the host, this writes a portable archive of the newest point of ${code(label)}:\n\`\`\`\ndocker compose exec -T holdfast holdfast export ${code(target).slice(1, -1)} --point ${code(point.point).slice(1, -1)} > archive.tar.gz\n\`\`\``;
		await answer(desk, origin, notice('📦', text));
	};

	const obey = async (spoken: Spoken, origin: Origin): Promise<void> => {
		switch (spoken.verb) {
			case 'unknown':
				return answer(desk, origin, notice('🤔', code(spoken.complaint, 500)));
			case 'help':
				return answer(desk, origin, helpMessage());
			case 'overview':
				return commands.overview(origin, 0);
			case 'doctor':
				return doctor(origin);
			case 'now':
				return spoken.target === 'all' ? backupAll(origin) : commands.backup(origin, await fleet.find(spoken.target), referenceOf(origin));
			case 'points':
				return commands.points(origin, await fleet.find(spoken.target));
			case 'history':
				return commands.history(origin, spoken.target === undefined ? undefined : await fleet.find(spoken.target));
			case 'export':
				return exporting(origin, await fleet.find(spoken.target));
			case 'check':
				return check(origin);
			case 'drill':
				return commands.drill(origin, await fleet.find(spoken.target), referenceOf(origin));
			case 'cancel':
				return commands.cancel(origin, spoken.run, referenceOf(origin));
			case 'undo':
			case 'finish':
				await commands.settle(origin, spoken.verb, spoken.run, referenceOf(origin));
				return;
			case 'restore': {
				const {target, point} = spoken;
				return restoring.open(origin, async () => (target === undefined ? undefined : fleet.find(target)), point);
			}
		}
	};

	return commands;
}

/** It looks at everything, and asks every repository. */
const doctorMs = 120_000;

async function findingsOf({name, client}: Host) {
	return within(doctorMs, client.doctor()).catch((error: unknown) => [{level: 'error' as const, subject: name, message: explain(error)}]);
}

export const settledBy = (verb: string, user: string, run: string): string => `${verb} was asked for by ${person(user)}: run ${code(run)}`;
