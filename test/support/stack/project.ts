/** The Compose project of a stack: its file, and what is done with it. */
import {randomBytes} from 'node:crypto';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {execa} from 'execa';
import {stringify} from 'yaml';
import {type DockerOptions, docker} from '../docker.ts';
import type {SecondEngine} from '../machine/second-engine.ts';
import {until} from '../until.ts';

/** A service as Compose writes it. */
export type Service = Record<string, unknown>;

/** Nothing is due by itself while the tests run, whenever that is. */
export const hardlyEver = {
	HOLDFAST_SCHEDULE: '0 0 29 2 *',
	HOLDFAST_PRUNE_SCHEDULE: '0 0 29 2 *',
	HOLDFAST_CHECK_SCHEDULE: '0 0 29 2 *',
};

export interface ProjectOptions {
	services: Record<string, Service>;
	/** Named volumes of the services; Holdfast's own come by themselves. */
	volumes?: readonly string[];
	/** Options of the driver `local` for some of them. */
	volumeOptions?: Record<string, Record<string, string>>;
	/** Where the volume of the repository is to be another than on the disk: options of the driver `local`. */
	repositoryVolume?: Record<string, string>;
	/** Networks beside the default one. */
	networks?: readonly string[];
	/** Address range of the default network. */
	subnet?: string;
	/** Added to Holdfast's service. */
	holdfast?: Service & {environment?: Record<string, string>};
	/** Another engine than the machine's: the images must be there. */
	engine?: Pick<SecondEngine, 'host' | 'socket'>;
	/** The project's name, where what is on the disk already names it; default: one of its own. */
	project?: string;
}

export interface Project {
	/** Unique. */
	project: string;
	/** What programs need to reach its engine. */
	env: Record<string, string>;
	/** The engine, where it is not the machine's. */
	host: string | undefined;
	/** The docker command line on its engine. */
	docker: (argv: readonly string[], options?: DockerOptions) => Promise<string>;
	compose: (...args: string[]) => Promise<string>;
	/** Name of a service's container. */
	container: (service: string) => string;
	/** Its file, with other settings for Holdfast than those it began with. */
	write: (holdfast: Changes) => Promise<void>;
	down: () => Promise<void>;
}

/** Of Holdfast's service. */
export type Changes = Service & {environment?: Record<string, string>};

/** Nothing of it runs yet. */
export async function createProject(options: ProjectOptions): Promise<Project> {
	const project = options.project ?? `hf-test-${randomBytes(4).toString('hex')}`;
	const folder = await mkdtemp(join(tmpdir(), `${project}-`));
	const file = join(folder, 'compose.yml');
	const host = options.engine?.host;
	const env: Record<string, string> = host === undefined ? {} : {DOCKER_HOST: host};
	const onEngine: Project['docker'] = async (argv, further = {}) => docker(argv, {...further, ...(host === undefined ? {} : {host})});
	const compose = async (...args: string[]) =>
		(await execa('docker', ['compose', '--file', file, '--project-name', project, ...args], {env})).stdout;
	const write = async (changes: Changes) => writeFile(file, stringify(fileOf(project, options, changes)));
	await write({});
	return {
		project,
		env,
		host,
		docker: onEngine,
		compose,
		container: service => `${project}-${service}-1`,
		write,
		async down() {
			// A container of the stack may be paused, by a test or by a failure: then it could not be removed.
			const ofProject = `label=com.docker.compose.project=${project}`;
			const paused = await onEngine(['ps', '--quiet', '--filter', ofProject, '--filter', 'status=paused']);
			for (const id of paused.split('\n').filter(Boolean)) {
				await onEngine(['unpause', id]);
			}

			// A worker outlives its agent by a moment, and is in the network as long
			await until('the stack to be taken down', async () =>
				compose('down', '--volumes', '--timeout', '1', '--remove-orphans').then(() => true),
			);
			await rm(folder, {recursive: true, force: true});
		},
	};
}

function fileOf(project: string, {services, networks = [], subnet, ...options}: ProjectOptions, changes: Changes): object {
	const volumes = ['hf-repository', 'hf-state', 'hf-cache', ...(options.volumes ?? [])];
	const driverOptions: Record<string, Record<string, string> | undefined> = {
		...options.volumeOptions,
		'hf-repository': options.repositoryVolume,
	};
	return {
		name: project,
		services: {holdfast: holdfastOf(project, options, changes), ...services},
		volumes: Object.fromEntries(
			volumes.map(name => [
				name,
				{
					labels: {'holdfast-test': project},
					...(driverOptions[name] === undefined ? {} : {driver_opts: driverOptions[name]}),
				},
			]),
		),
		networks: {
			...Object.fromEntries(networks.map(name => [name, {}])),
			...(subnet === undefined ? {} : {default: {ipam: {config: [{subnet}]}}}),
		},
	};
}

function holdfastOf(project: string, {engine, holdfast = {}}: Pick<ProjectOptions, 'engine' | 'holdfast'>, changes: Changes): Service {
	return {
		image: process.env.HOLDFAST_TEST_IMAGE ?? 'holdfast:dev',
		stop_grace_period: '30s',
		// The image's own, each half a minute, starts a program: the tests ask by themselves.
		healthcheck: {interval: '10m'},
		read_only: true,
		cap_drop: ['ALL'],
		security_opt: ['no-new-privileges:true'],
		tmpfs: ['/tmp'],
		volumes: [
			`${engine?.socket ?? '/var/run/docker.sock'}:/var/run/docker.sock`,
			'hf-repository:/repository',
			'hf-state:/state',
			'hf-cache:/cache',
		],
		labels: {'holdfast-test': project},
		...holdfast,
		...changes,
		environment: {HOLDFAST_PROJECTS: project, ...hardlyEver, ...holdfast.environment, ...changes.environment},
	};
}
