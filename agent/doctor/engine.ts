/** The engine: which one it is, what it lets the agent do, and its clock. Tried on a worker, so that no application is touched. */

import {type Place, succeed} from '../../base/command.ts';
import {explain} from '../../base/errors.ts';
import type {Finding} from '../../base/shapes/targets.ts';
import type {Engine} from '../../docker/engine.ts';
import {statusOf} from '../../docker/refusal.ts';
import type {Workforce} from '../../docker/worker.ts';

/** Clocks that are further apart put restore points at times that nobody expects. */
const clockToleranceMs = 60_000;

/** The first ones that the tests run on. */
const oldestDocker = [20, 10] as const;
const oldestPodman = [4, 3] as const;

export async function examineEngine(engine: Engine): Promise<Finding[]> {
	const began = Date.now();
	const {version, time, isPodman = false, confined} = await engine.info();
	const oldestVersion = isPodman ? oldestPodman : oldestDocker;
	const [major = 0, minor = 0] = version.split('.').map(Number);
	const isOld = major < oldestVersion[0] || (major === oldestVersion[0] && minor < oldestVersion[1]);
	const findings: Finding[] = [
		{
			level: isOld ? 'warning' : 'ok',
			subject: 'engine',
			message: `${isPodman ? 'Podman, ' : ''}version ${version} at ${engine.address}${confined === undefined ? '' : `, ${confined}: the root of its containers is another user of the host`}`,
			...(isOld ? {hint: `Holdfast is tested from ${oldestVersion.join('.')} on: update the engine`} : {}),
		},
	];
	const apartMs = Math.abs(time - (began + Date.now()) / 2);
	if (apartMs > clockToleranceMs) {
		findings.push({
			level: 'error',
			subject: 'clock',
			message: `the clock of the engine and that of the agent are ${Math.round(apartMs / 1000)} s apart`,
			hint: 'set both by NTP: schedules and restore points go by them',
		});
	}

	return findings;
}

/**
 * Every call that a run makes on a container, each on a worker of the doctor's own.
 * @param reach what the worker itself reaches: that is what a backup meets
 */
export async function examinePermissions(
	engine: Engine,
	workforce: Workforce,
	reach: (worker: Place) => Promise<Finding[]>,
): Promise<Finding[]> {
	const worker = await workforce.repository([], 'read').catch((error: unknown) => error);
	if (worker instanceof Error || typeof worker !== 'object' || worker === null) {
		return [forbidden('make, start or look at a worker', worker)];
	}

	let isPaused = false;
	const {id, run} = worker as Awaited<ReturnType<Workforce['repository']>>;
	const tries: ReadonlyArray<readonly [string, () => Promise<unknown>]> = [
		['run a command in a container (exec)', async () => succeed(run, {argv: ['true']})],
		['look at a path in a container (archive)', async () => engine.stat(id, '/etc')],
		[
			'pause a container',
			async () => {
				await engine.pause(id);
				isPaused = true;
			},
		],
		['unpause a container', async () => (isPaused ? engine.unpause(id) : undefined)],
		// The last one: a worker that ends is removed. That one may be started was seen when it was made
		['stop a container', async () => engine.stop(id, 1)],
	];
	const reached = await reach(run);
	const findings: Finding[] = [];
	for (const [what, attempt] of tries) {
		await attempt().catch((error: unknown) => findings.push(forbidden(what, error)));
	}

	const allowed: Finding = {level: 'ok', subject: 'engine', message: 'it lets the agent do all that backups and restores need'};
	return [...reached, ...(findings.length > 0 ? findings : [allowed])];
}

const forbidden = (what: string, error: unknown): Finding => ({
	level: 'error',
	subject: 'engine',
	message: `the agent may not ${what}: ${explain(error)}`,
	...(statusOf(error) === 403 ? {hint: 'allow it in the socket proxy; docs/security.md lists every call'} : {}),
});
