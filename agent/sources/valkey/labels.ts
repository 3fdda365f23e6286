/** The labels of Valkey; `redis` means the same. */
import {nonEmptyText, oneOf} from '../../../base/reading/reader.ts';
import {readName} from '../../../base/reading/values.ts';
import type {Container} from '../../../docker/container.ts';
import type {Given} from '../kind.ts';

export interface ValkeyPolicy {
	user?: string | undefined;
	passwordSecret?: string | undefined;
}

const readAsked = oneOf('true', 'false');

export const valkeyLabels = {
	valkey: readAsked,
	'valkey.user': nonEmptyText,
	'valkey.password-secret': readName,
	redis: readAsked,
	'redis.user': nonEmptyText,
	'redis.password-secret': readName,
};

export const valkeyPolicy = (given: Given<typeof valkeyLabels>): ValkeyPolicy | undefined =>
	(given.valkey ?? given.redis) === 'true'
		? {
				user: given['valkey.user'] ?? given['redis.user'],
				passwordSecret: given['valkey.password-secret'] ?? given['redis.password-secret'],
			}
		: undefined;

/** What labels say of who saves and restores. */
export interface Access {
	user?: string | undefined;
	/** A file of the agent, named after the project too: a label reaches the secrets of its own project only. */
	secret?: string | undefined;
	project?: string | undefined;
}

export const accessOf = (policy: ValkeyPolicy | undefined, {project}: Pick<Container, 'project'>): Access => ({
	...(policy?.user === undefined ? {} : {user: policy.user}),
	...(policy?.passwordSecret === undefined ? {} : {secret: policy.passwordSecret, project}),
});
