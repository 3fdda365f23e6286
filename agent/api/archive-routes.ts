/** Archives over HTTP: bodies of any size, at the pace of the slower side. */
import {Readable} from 'node:stream';
import type {Context, Hono} from 'hono';
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
		const content = Readable.from(unlessStalled(body, stalledMs), {objectMode: false, highWaterMark: 262_144});
		content.on('error', () => {});
		const accepted = await agent.import({...request, body: content});
		accepted.finished.catch(report);
		await accepted.received;
		return context.json({run: accepted.run}, 202);
	});
}

const queryOf = (context: Context): Record<string, unknown> => ({...context.req.query(), only: context.req.queries('only') ?? []});

/** Chunks as they are asked for. @throws when one that was asked for does not come */
async function* unlessStalled(body: AsyncIterator<Uint8Array>, timeMs: number): AsyncGenerator<Uint8Array> {
	for (;;) {
		const {promise: stalled, reject} = Promise.withResolvers<never>();
		const timer = setTimeout(() => reject(new Error(`nothing came for ${timeMs / 1000} s`)), timeMs);
		const {value, done} = await Promise.race([body.next(), stalled]).finally(() => clearTimeout(timer));
		if (done) {
			return;
		}

		yield value;
	}
}
