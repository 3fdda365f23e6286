import {tryDocker} from './docker.ts';

export const ensureEngine = async (): Promise<void> => {
	if ((await tryDocker(['version', '--format', '{{.Server.Version}}'])) === undefined) {
		throw new Error('No Docker Engine answers');
	}
};
