/** How the engine is spoken to: with TLS where the variables of Docker's own clients say so. */
import {join} from 'node:path/posix';
import {quote} from '../../base/reading/quote.ts';
import type {EngineKeys} from '../../docker/calls/client.ts';
import type {Environment} from './environment.ts';

/**
 * @param address as in `DOCKER_HOST`: a socket of this host needs no keys, and what is wrong with them is no mistake; nobody else gets their folder all the same
 * @returns undefined: it is spoken to in clear
 */
export function readEngineKeys(address: string, environment: Environment, readFile: (path: string) => string): EngineKeys | undefined {
	const {text} = environment;
	const problem: Environment['problem'] = (...mistake) => {
		if (address.startsWith('tcp://')) {
			environment.problem(...mistake);
		}
	};
	const folder = text('DOCKER_CERT_PATH')?.replace(/(?<=.)\/+$/, '');
	if (folder === undefined) {
		if (text('DOCKER_TLS_VERIFY') !== undefined) {
			problem(
				'`DOCKER_TLS_VERIFY` is set, and `DOCKER_CERT_PATH` is not',
				'name the folder of this container with `ca.pem`, `cert.pem` and `key.pem`',
			);
		}

		return undefined;
	}

	const read = (name: string): string => {
		try {
			return readFile(join(folder, name));
		} catch (error) {
			problem(
				`\`DOCKER_CERT_PATH\` must name a folder with \`ca.pem\`, \`cert.pem\` and \`key.pem\`, got ${quote(folder)}: \`${name}\`: ${(error as NodeJS.ErrnoException).code ?? 'unreadable'}`,
				'mount the folder into this container, or correct the path',
			);
			return '';
		}
	};
	return {folder, ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem')};
}
