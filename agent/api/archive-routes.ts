/** Archives over HTTP: bodies of any size, at the pace of the slower side. */
import {Readable} from 'node:stream';
import type {Context, Hono} from 'hono';
import {moving} from '../../base/patience.ts';
import type {Bindings, RoutesOptions} from './bindings.ts';
import {download} from './download.ts';
import {exportQuery, importQuery, parse} from './requests.ts';

export function addArchives(routes: Hono<Bindings>, {agent, stalledMs, report}: RoutesOptions): void {
	routes.get('/export', async context => {
		const {contentBytes, ...file} = await agent.export(parse(exportQuery, queryOf(context)));
		return download(context, {...file, type: 'application/gzip', stalledMs, headers: {'X-Holdfast-Content-Bytes': String(contentBytes)}});
	});
	routes.post('/import', async context => {
		const request = parse(importQuery, queryOf(context));
		const body = context.env.incoming.iterator({destroyOnReturn: false}) as AsyncIterator<Uint8Array>;
		const content = Readable.from(moving({[Symbol.asyncIterator]: () => body}, 'the archive', stalledMs), {
			objectMode: false,
			highWaterMark: 262_144,
		});
		content.on('error', () => {});
		const accepted = await agent.import({...request, body: content});
		accepted.finished.catch(report);
		await accepted.received;
		return context.json({run: accepted.run}, 202);
	});
}

const queryOf = (context: Context): Record<string, unknown> => ({...context.req.query(), only: context.req.queries('only') ?? []});
