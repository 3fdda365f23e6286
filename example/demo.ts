/**
 * The demonstration: brings the example up, backs it up, damages it, restores it, and shows that the data is back. Fails when it is not.
 * The stack stays up afterwards.
 */
import process from 'node:process';
import {styleText} from 'node:util';
import {execa} from 'execa';
import {buildHoldfast} from '../test/support/build-image.ts';
import {ensureEngine} from '../test/support/engine.ts';
import {ensureImage} from '../test/support/images.ts';
import {ensureCompose} from '../test/support/machine/compose.ts';
import {until} from '../test/support/until.ts';

const file = 'compose.example.yml';

/** As Compose has it: the name in the file, unless the environment says another. */
const project = process.env.COMPOSE_PROJECT_NAME ?? 'holdfast-example';

function say(text: string): void {
	console.log(`\n${styleText('bold', `▸ ${text}`)}`);
}

await ensureEngine();
await ensureCompose();
const env = {
	HOLDFAST_IMAGE: process.env.HOLDFAST_IMAGE ?? (await buildHoldfast()),
	POSTGRES_IMAGE: await ensureImage('postgres:17'),
	NODE_IMAGE: await ensureImage('node:24-trixie-slim'),
};

const compose = async (...args: string[]) => (await execa('docker', ['compose', '--file', file, ...args], {env})).stdout;

/** Shows the command as a person would type it, and what it prints. */
async function holdfast(...args: string[]): Promise<void> {
	console.log(styleText('dim', `$ docker compose -f ${file} exec holdfast holdfast ${args.join(' ')}`));
	const terminal = process.stdout.isTTY ? [] : ['-T'];
	await execa('docker', ['compose', '--file', file, 'exec', ...terminal, 'holdfast', 'holdfast', ...args], {env, stdio: 'inherit'});
}

const sql = async (query: string) =>
	compose('exec', '-T', 'db', 'psql', '--username=postgres', '--dbname=shop', '--tuples-only', '--no-align', '--command', query);

const inWebui = async (script: string) => compose('exec', '-T', 'webui', 'node', '--disable-warning=ExperimentalWarning', '--eval', script);

const countChats = `console.log(new (require('node:sqlite').DatabaseSync)('/app/backend/data/webui.db', {readOnly: true}).prepare('select count(*) as n from chat').get().n)`;

/** Chats whose upload is there: what a person would call intact. */
const countIntact = `
	const {existsSync} = require('node:fs');
	const rows = new (require('node:sqlite').DatabaseSync)('/app/backend/data/webui.db', {readOnly: true}).prepare('select upload from chat').all();
	console.log(rows.filter(({upload}) => existsSync('/app/backend/data/' + upload)).length)`;

const removeUploads = `
	const {readdirSync, rmSync} = require('node:fs');
	for (const name of readdirSync('/app/backend/data/uploads')) rmSync('/app/backend/data/uploads/' + name);`;

const count = async (counting: Promise<string>) => Number(await counting);

const counted = async () => ({orders: await count(sql('select count(*) from orders')), chats: await count(inWebui(countIntact))});

say('Bringing the example up, and waiting until it is healthy');
await execa('docker', ['compose', '--file', file, 'up', '--detach', '--wait', '--quiet-pull'], {env, stdio: 'inherit'});
await until(
	'both applications have written something',
	async () => {
		const {orders, chats} = await counted();
		return orders > 5 && chats > 20;
	},
	{
		timeout: 60_000,
	},
);

say('What Holdfast found');
await holdfast('targets');

say('Backing up everything, while both applications write');
const begun = await counted();
await holdfast('backup', '--all');
const ended = await counted();

say('The restore points, and for how long each application stood still');
await holdfast('points');
await holdfast('status');

say('A bad day: the table is dropped, the uploads are deleted');
await sql('drop table orders');
await inWebui(removeUploads);
console.log('orders: the table is gone');
console.log(`intact chats: ${await count(inWebui(countIntact))} of ${await count(inWebui(countChats))}`);

say('Restoring');
await holdfast('restore', `${project}/db`, '--yes');
await holdfast('restore', `${project}/webui`, '--yes');

say('Is it back?');
const after = await counted();
// Both go on writing: the moment of the point lies between the two counts, and what is written since comes on top
console.log(`orders:       ${after.orders}; there were ${begun.orders} when the backup began, and ${ended.orders} when it had ended`);
console.log(`intact chats: ${after.chats}; there were ${begun.chats} when the backup began, and ${ended.chats} when it had ended`);
if (after.orders < begun.orders || after.chats < begun.chats) {
	console.error('\nThe data is not back.');
	process.exit(1);
}

say('The data is back. The example stays up; to remove it with its volumes:');
console.log(`docker compose -f ${file} down --volumes`);
