/** What restic gets in its environment: the variables that it, the storage's clients and rclone know by themselves. */
import type {Environment, Variables} from './environment.ts';

const prefixes = ['RESTIC_', 'AWS_', 'B2_', 'AZURE_', 'GOOGLE_', 'OS_', 'ST_', 'RCLONE_'];
const network = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];

/** Names that the programs themselves give to files; every other `…_FILE` of a secret is read here. */
const ownFile =
	/^(?:AWS_SHARED_CREDENTIALS_FILE|AWS_CONFIG_FILE|AWS_WEB_IDENTITY_TOKEN_FILE|AZURE_FEDERATED_TOKEN_FILE|RCLONE_\w+_KEY_FILE)$/;

const secretName =
	/(?:PASSWORD2?|_PASS|SECRET|SECRET_ACCESS_KEY|ACCESS_KEY_ID|ACCOUNT_ID|ACCOUNT_KEY|CUSTOMER_KEY|_TOKEN|_SAS|KEY_PEM|SERVICE_ACCOUNT_CREDENTIALS)$|^ST_KEY$|^RCLONE_\w+_(?:KEY|SAS_URL|CONNECTION_STRING|ACCESS_GRANT|PASSPHRASE|HEADERS)$/;

const refused: Readonly<Record<string, string>> = {
	RESTIC_PASSWORD_COMMAND: 'the containers that run restic cannot run it: use `RESTIC_PASSWORD` or `RESTIC_PASSWORD_FILE`',
	RESTIC_CACHE_DIR: 'the cache is `/cache`: mount a volume there',
	RESTIC_HOST: 'use `HOLDFAST_HOST`',
	RESTIC_FROM_REPOSITORY: 'copies are described in the configuration file: docs/copies.md',
	RESTIC_FROM_PASSWORD: 'copies are described in the configuration file: docs/copies.md',
};

const readElsewhere = new Set(['RESTIC_REPOSITORY', 'RESTIC_PASSWORD']);

export interface ResticEnvironment {
	env: Record<string, string>;
	/** Values in it that must never be shown. */
	secrets: string[];
}

export function readResticEnvironment(variables: Variables, environment: Environment): ResticEnvironment {
	const env: Record<string, string> = {};
	const secrets: string[] = [];
	for (const name of passedNames(variables)) {
		const hint = refused[name];
		if (hint !== undefined) {
			environment.problem(`\`${name}\` is not supported`, hint);
			continue;
		}

		const isSecret = secretName.test(name);
		const value = isSecret ? environment.secret(name) : environment.text(name);
		if (value) {
			env[name] = value;
			secrets.push(...(isSecret ? [value] : []), ...credentialsIn(value));
		}
	}

	return {env, secrets};
}

const isKnown = (name: string): boolean => network.includes(name) || prefixes.some(prefix => name.startsWith(prefix));

/** Whether restic gets a variable of this name as it is. */
export const isPassed = (name: string): boolean => isKnown(name) && !readElsewhere.has(baseName(name));

function passedNames(variables: Variables): string[] {
	const names = Object.keys(variables).filter(name => variables[name] !== undefined && isKnown(name));
	return [...new Set(names.map(baseName))].filter(name => !readElsewhere.has(name));
}

/** `AWS_SESSION_TOKEN_FILE` → `AWS_SESSION_TOKEN`; what the programs read from a file themselves keeps its name. */
function baseName(name: string): string {
	const base = name.replace(/_FILE$/, '');
	return !ownFile.test(name) && (secretName.test(base) || readElsewhere.has(base)) ? base : name;
}

/** The password in a URL, as it is written and as it is meant. */
export function credentialsIn(location: string): string[] {
	const [, password] = /:\/\/[^/@:]*:([^/@]+)@/.exec(location) ?? [];
	return password === undefined ? [] : [password, decoded(password)];
}

function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}
