/** Who asked for what. Part of the state database. */
import type {DatabaseSync, SQLOutputValue} from 'node:sqlite';
import type {Audit, AuditView} from '../../base/audit.ts';
import {unlessUnwritable} from './unwritten.ts';

/** Refusals are anybody's to cause, so only this many are kept. */
const keptRefusals = 10_000;

/** Runs that were not asked for through Slack or the schedule stand in their own table. */
const auditLog = `
	select audit.at, audit.id as turn, who, place, action, subject, decision, reason, audit.run, coalesce(audit.outcome, runs.outcome) as outcome
		from audit left join runs on runs.run = audit.run
	union all
	select queued_at, 0, trigger, '', operation, target, 'allowed', null, run, outcome
		from runs where trigger not like 'slack:%' and trigger not like 'schedule%'`;

export function openAudit(database: DatabaseSync): Audit {
	const insert = database.prepare(
		'insert or ignore into audit (at, who, place, action, subject, decision, reason, reference) values (?, ?, ?, ?, ?, ?, ?, ?)',
	);
	const prune = database.prepare(`delete from audit where id in (
		select id from audit where decision = 'refused' order by id desc limit 20 offset ${keptRefusals})`);
	const complete = database.prepare('update audit set run = coalesce(?, run), outcome = coalesce(?, outcome) where id = ?');
	const list = database.prepare(`select * from (${auditLog}) where ? is null or subject = ? order by at desc, turn desc limit ?`);
	return {
		record({who, place, action, subject, decision, reason, reference}) {
			const written = insert.run(Date.now(), who, place, action, subject, decision, reason ?? null, reference ?? null);
			if (decision === 'refused') {
				unlessUnwritable(() => prune.run());
			}

			return Number(written.changes) === 1 ? Number(written.lastInsertRowid) : undefined;
		},
		complete(id, {run, outcome}) {
			unlessUnwritable(() => complete.run(run ?? null, outcome ?? null, id));
		},
		entries: ({subject, limit = 100} = {}) => list.all(subject ?? null, subject ?? null, limit).map(auditView),
	};
}

const auditView = (row: Record<string, SQLOutputValue>): AuditView => ({
	at: new Date(Number(row.at)).toISOString(),
	who: String(row.who),
	place: String(row.place),
	action: String(row.action),
	subject: String(row.subject),
	decision: row.decision as AuditView['decision'],
	reason: row.reason as string | null,
	run: row.run as string | null,
	outcome: row.outcome as string | null,
});
