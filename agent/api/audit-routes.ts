/** The audit log, and what the bot must remember. */
import type {Hono} from 'hono';
import {BusyError} from '../../base/errors.ts';
import type {Agent} from '../agent.ts';
import type {Bindings} from './bindings.ts';
import {auditOutcome, auditParameter, auditQuery, auditRequest, json, noteRequest, parse} from './requests.ts';

export function addAuditRoutes(routes: Hono<Bindings>, agent: Agent): void {
	routes.get('/audit', context => context.json(agent.audit.entries(parse(auditQuery, context.req.query()))));
	routes.post('/audit', async context => {
		const id = agent.audit.record(parse(auditRequest, await json(context.req)));
		if (id === undefined) {
			throw new BusyError('this reference was used before');
		}

		return context.json({id}, 201);
	});
	routes.post('/audit/:id', async context => {
		agent.audit.complete(parse(auditParameter, context.req.param('id')), parse(auditOutcome, await json(context.req)));
		return context.json({});
	});
	routes.get('/notes', context => context.json(agent.notes()));
	routes.post('/notes', async context => {
		const {key, note} = parse(noteRequest, await json(context.req));
		agent.saveNote(key, note);
		return context.json({});
	});
}
