/** Networks of a Swarm are VXLAN, and not every kernel has it. */
import {randomBytes} from 'node:crypto';
import {execa} from 'execa';

export async function hasVxlan(): Promise<boolean> {
	const name = `hf${randomBytes(4).toString('hex')}`;
	const {exitCode} = await execa('ip', ['link', 'add', name, 'type', 'vxlan', 'id', '77', 'dstport', '4798', 'dev', 'lo'], {reject: false});
	await execa('ip', ['link', 'delete', name], {reject: false});
	return exitCode === 0;
}
