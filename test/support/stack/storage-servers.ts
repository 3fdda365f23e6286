/** Servers that restic repositories can be on, as services of a stack: REST, S3 over TLS with a CA of its own, and SFTP. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {docker} from '../docker.ts';
import {ensureImage} from '../images.ts';
import type {Service, Stack} from '../stack.ts';
import {until} from '../until.ts';

export type Name = 'rest' | 's3' | 'sftp';

export interface StorageServers {
	/** On the host; to be mounted at `/etc/holdfast`: keys, certificates, and what `write` wrote. */
	folder: string;
	/** `rest`, `s3`, `sftp`. */
	services: Record<string, Service>;
	write: (name: string, content: string) => Promise<void>;
}

/** What opens each of them, as the section `copies` of the configuration file has it. */
export const copiesOnServers: Record<Name, {repository: string; options?: Record<string, string>} & Record<string, unknown>> = {
	rest: {repository: 'rest:http://rest-user:rest-secret@rest:8080/', password: 'password of rest'},
	s3: {
		repository: 's3:https://s3:8443/bucket',
		passwordFile: '/etc/holdfast/s3-password',
		envFile: '/etc/holdfast/s3.env',
		env: {RESTIC_CACERT: '/etc/holdfast/ca.pem'},
	},
	sftp: {
		repository: 'sftp://backup@sftp:2022//repository',
		password: 'password of sftp',
		options: {'sftp.args': '-i /etc/holdfast/id -o UserKnownHostsFile=/etc/holdfast/known_hosts -o BatchMode=yes'},
	},
};

const makeKeys = `
set -e
cd /keys
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=a test CA' -keyout ca.key -out ca.pem
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=s3' -keyout s3.key -out s3.csr
printf 'subjectAltName=DNS:s3' >extensions
openssl x509 -req -in s3.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out s3.pem
ssh-keygen -q -t ed25519 -N '' -f id
ssh-keygen -q -t ed25519 -N '' -f host
printf '[sftp]:2022 %s\n' "$(cut -d' ' -f1,2 host.pub)" >known_hosts
`;

export async function storageServers(t: Pick<ExecutionContext, 'teardown'>): Promise<StorageServers> {
	const image = await ensureImage('holdfast-test/storage:latest');
	const folder = await mkdtemp(join(tmpdir(), 'holdfast-servers-'));
	t.teardown(() => rm(folder, {recursive: true, force: true}));
	await docker(['run', '--rm', '--volume', `${folder}:/keys`, '--entrypoint', 'sh', image, '-c', makeKeys]);
	const write = (name: string, content: string) => writeFile(join(folder, name), content, {mode: 0o600});
	await write('s3-password', 'password of s3\n');
	await write('s3.env', 'AWS_ACCESS_KEY_ID=s3-identity\nAWS_SECRET_ACCESS_KEY=s3-secret\n');
	const serve = (...command: string[]): Service => ({image, init: true, command, volumes: [`${folder}:/keys:ro`], stop_grace_period: '1s'});
	const rclone = (...command: string[]) => serve('rclone', 'serve', ...command);
	return {
		folder,
		services: {
			rest: rclone('restic', '/data', '--addr', ':8080', '--user', 'rest-user', '--pass', 'rest-secret'),
			s3: serve('moto_server', '--host', '0.0.0.0', '--port', '8443', '--ssl-cert', '/keys/s3.pem', '--ssl-key', '/keys/s3.key'),
			sftp: rclone('sftp', '/data', '--addr', ':2022', '--user', 'backup', '--authorized-keys', '/keys/id.pub', '--key', '/keys/host'),
		},
		write,
	};
}

/** Bytes that have arrived at a server. */
export const bytesAt = async ({exec}: Pick<Stack, 'exec'>, name: Name): Promise<number> =>
	name === 's3' ? Number(await exec('s3', 'python3', '-c', s3Bytes)) : Number((await exec(name, 'du', '-sb', '/data')).split('\t')[0]);

const s3Bytes = `
import re, ssl, urllib.request
answer = urllib.request.urlopen('https://127.0.0.1:8443/bucket?list-type=2', context=ssl._create_unverified_context()).read().decode()
print(sum(int(size) for size in re.findall('<Size>([0-9]+)</Size>', answer)))
`;

/** restic takes a bucket that is missing for a server that does not answer. */
export const makeBucket = async ({exec}: Pick<Stack, 'exec'>): Promise<unknown> =>
	until('the S3 server to make a bucket', async () => exec('s3', 'python3', '-c', newBucket).then(() => true));

const newBucket = `
import ssl, urllib.request
urllib.request.urlopen(urllib.request.Request('https://127.0.0.1:8443/bucket', method='PUT'), context=ssl._create_unverified_context())
`;
