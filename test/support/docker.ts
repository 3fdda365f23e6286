import {execa} from 'execa';

/** Options of one call of the docker command line; `timeout` is in milliseconds. */
export type DockerOptions = {host?: string; timeout?: number; input?: string};

/** Runs the docker command line and returns what it printed, without the last line break. Fails with what it printed on stderr. */
export const docker = async (arguments_: readonly string[], {host, timeout = 120_000, input = ''}: DockerOptions = {}): Promise<string> => {
	const {stdout} = await execa('docker', arguments_, {
		env: host === undefined ? {} : {DOCKER_HOST: host},
		timeout,
		input,
		maxBuffer: 32_000_000,
	});
	return stdout;
};

/** The same, for questions: undefined where the command fails. A command that prints nothing gives an empty string, which is no failure. */
export const tryDocker = async (arguments_: readonly string[], options?: DockerOptions): Promise<string | undefined> => {
	try {
		return await docker(arguments_, options);
	} catch {
		return undefined;
	}
};

/** One label of a local image; undefined where the image or the label is missing. */
export const imageLabel = async (image: string, label: string): Promise<string | undefined> =>
	(await tryDocker(['image', 'inspect', '--format', `{{index .Config.Labels "${label}"}}`, image])) || undefined;

/** The id of a local image; undefined where there is none of this name. */
export const imageId = async (image: string, options?: DockerOptions): Promise<string | undefined> =>
	tryDocker(['image', 'inspect', '--format', '{{.Id}}', image], options);
