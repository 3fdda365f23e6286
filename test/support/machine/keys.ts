/** Keys and certificates of an authority that is made for one test. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {execa} from 'execa';

/** @param name under which the server is reached @returns a folder as `DOCKER_CERT_PATH` names it, with `server-cert.pem` and `server-key.pem` beside */
export async function makeKeys(t: Pick<ExecutionContext, 'teardown'>, name: string): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'hf-keys-'));
	t.teardown(async () => rm(folder, {recursive: true, force: true}));
	const openssl = async (...argv: string[]) => execa('openssl', argv, {cwd: folder});
	const key = ['-newkey', 'rsa:2048', '-nodes'];
	await openssl('req', '-x509', ...key, '-keyout', 'ca-key.pem', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=authority of a test');
	await writeFile(join(folder, 'server.ext'), `subjectAltName=DNS:${name}\nextendedKeyUsage=serverAuth\n`);
	await writeFile(join(folder, 'client.ext'), 'extendedKeyUsage=clientAuth\n');
	for (const [who, out, outKey] of [
		['server', 'server-cert.pem', 'server-key.pem'],
		['client', 'cert.pem', 'key.pem'],
	] as const) {
		await openssl('req', ...key, '-keyout', outKey, '-out', `${who}.csr`, '-subj', `/CN=${who === 'server' ? name : who}`);
		const signed = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-days', '2', '-extfile', `${who}.ext`];
		await openssl('x509', '-req', '-in', `${who}.csr`, '-out', out, ...signed);
	}

	return folder;
}
