/** What is unprotected or misconfigured, and what to do about it. */
import {type Container, workerLabel} from '../docker/container.ts';
import {findStrayLabels} from '../docker/discovery.ts';
import {hireWorkers} from '../docker/worker.ts';
import type {Finding} from './agent.ts';
import type {Workshop} from './backup.ts';
import {succeed} from './command.ts';
import {explain} from './errors.ts';
import {runId} from './ids.ts';
import type {RepositoryDoor} from './repository.ts';
import {connectPostgres} from './sources/postgres-server.ts';
import type {Survey, Surveyed} from './survey.ts';

interface Examined {
	workshop: Workshop;
	survey: Survey;
	repository: RepositoryDoor;
}

export async function diagnose({workshop, survey, repository}: Examined): Promise<Finding[]> {
	const {engine, versions} = workshop;
	const findings: Finding[] = [{level: 'ok', subject: 'engine', message: `version ${versions.engine} at ${engine.address}`}];
	try {
		findings.push({
			level: 'ok',
			subject: 'repository',
			message: `opened (id ${(await repository.open()).slice(0, 8)}), restic ${versions.restic}`,
		});
	} catch (error) {
		findings.push({level: 'error', subject: 'repository', message: explain(error)});
	}

	const [containers, surveyed] = await Promise.all([survey.containers(), survey.all()]);
	if (surveyed.length === 0) {
		findings.push({
			level: 'error',
			subject: 'targets',
			message: 'no container carries `holdfast.enable=true`',
			hint: 'label a service and run `docker compose up -d`',
		});
	}

	for (const {target, problems} of surveyed) {
		findings.push(
			...problems.map(({message, hint}) => ({level: 'error' as const, subject: target.name, message, ...(hint ? {hint} : {})})),
		);
	}

	findings.push(...(await dumpWays(workshop, surveyed)));
	findings.push(
		...findStrayLabels(containers).map(({container, labels}) => ({
			level: 'warning' as const,
			subject: container.name,
			message: `it carries ${labels.map(label => `\`${label}\``).join(', ')} but is no target`,
			hint: 'add the label holdfast.enable=true',
		})),
	);
	return [...findings, ...unprotected(containers, surveyed)];
}

/** Which way each database is dumped: by a worker, or slower through docker exec. */
async function dumpWays(workshop: Workshop, surveyed: readonly Surveyed[]): Promise<Finding[]> {
	const databases = new Map(
		surveyed.flatMap(({target, plan}) =>
			plan.sources.flatMap(source =>
				source.kind === 'postgres' && source.container.state === 'running' ? [[source.container.id, {source, target}] as const] : [],
			),
		),
	);
	if (databases.size === 0) {
		return [];
	}

	const workforce = await hireWorkers({...workshop, run: `doctor-${runId(Date.now())}`});
	try {
		const findings: Finding[] = [];
		for (const [id, {source, target}] of databases) {
			const subject = target.name;
			try {
				const server = await connectPostgres(workshop.engine, source.container, source.user);
				server.assertEnterable();
				const {run} = await workforce.dump(id);
				await succeed(run, server.fromWorker('exec "$@"', [], ['true']));
				findings.push({level: 'ok', subject, message: 'its databases are dumped by a worker'});
			} catch (error) {
				findings.push({
					level: 'warning',
					subject,
					message: `its databases are dumped through docker exec, which is slower: ${explain(error)}`,
				});
			}
		}

		return findings;
	} finally {
		await workforce.dismiss();
	}
}

/** Volumes of running containers that no target backs up, and containers that look like a database and are no target. */
function unprotected(containers: readonly Container[], surveyed: readonly Surveyed[]): Finding[] {
	const members = new Set(surveyed.flatMap(({target}) => target.members.flatMap(({replicas}) => replicas.map(({id}) => id))));
	const known = new Set(
		surveyed.flatMap(({target}) => target.members.flatMap(({container}) => container.mounts.map(({hostPath}) => hostPath))),
	);
	const own = (container: Container) =>
		container.labels[workerLabel] !== undefined || container.mounts.some(({hostPath}) => hostPath.endsWith('docker.sock'));
	return containers
		.filter(container => !members.has(container.id) && !own(container) && container.state === 'running')
		.flatMap(container => {
			const volumes = container.mounts.filter(({type, hostPath}) => type === 'volume' && !known.has(hostPath));
			const database = /(?:^|\/)(?:postgres|postgis|timescaledb)/.test(container.image);
			return volumes.length === 0
				? []
				: [
						{
							level: 'warning' as const,
							subject: container.name,
							message: `no target backs up ${volumes.map(({volume}) => `volume \`${volume}\``).join(', ')}`,
							hint: database ? 'label it: holdfast.enable=true and holdfast.postgres=true' : 'label it: holdfast.enable=true',
						},
					];
		});
}
