/** The kinds that are files of a container, and the plain programs to look at them. */
import {ensureImage} from '../images.ts';
import type {Service, Stack} from '../stack.ts';
import type {KindCase} from './suite.ts';

/** Bites in shells, in patterns, and in archives. */
const hostile = `--we"ird; $(x) '*' [a]`;

const app = async (labels: Record<string, string>): Promise<Record<string, Service>> => ({
	app: {
		image: await ensureImage('holdfast-test/app:latest'),
		command: ['sleep', 'infinity'],
		init: true,
		volumes: ['data:/data'],
		labels: {'holdfast.enable': 'true', ...labels},
	},
});

const shell = async (stack: Stack, script: string, ...args: string[]): Promise<string> =>
	stack.exec('app', 'sh', '-ec', script, 'sh', ...args);

/** What is named there, and what a restore lays beside it. */
const beside = async (stack: Stack): Promise<string> => shell(stack, "find /data -name '.*.holdfast-*'");

/** Names, kinds, modes, owners, links and content of all that is below. */
const tree = `cd "$1"; find . -mindepth 1 -name '.*.holdfast-*' -prune -o -printf '%p %y %m %U:%G %l\\n' | sort; find . -type f ! -path '*/.*.holdfast-*' -print0 | sort -z | xargs -0 sha256sum`;

const fill = `mkdir -p "$1/sub"; cd "$1"; echo kept >"./$2"; ln -sfn nowhere "./link $2"; echo deep >"sub/$2"; chmod 640 "./$2"; chown 12:34 "./$2"; head -c 3000000 /dev/zero >zeroes`;

const treeCase = (kind: string, folder: string, labels: Record<string, string>): KindCase => ({
	kind,
	volumes: ['data'],
	services: async () => app(labels),
	begin: async stack => shell(stack, fill, folder, hostile),
	write: async (stack, word) => shell(stack, 'echo "$2" >"$1/word"', folder, word),
	read: async stack => shell(stack, tree, folder),
	kept: beside,
});

export const tarCase: KindCase = {
	...treeCase('tar', '/etc/app', {'holdfast.tar': '/etc/app'}),
	async spoil(stack) {
		await shell(stack, 'mv /etc/app /etc/gone');
		return async () => shell(stack, 'mv /etc/gone /etc/app');
	},
};

/** Whatever lies in it, a worker may read it: nothing there makes it fail. */
export const volumeCase: KindCase = treeCase('volume', '/data', {'holdfast.volumes': '/data'});

const database = `/data/${hostile}.db`;

export const sqliteCase: KindCase = {
	kind: 'sqlite',
	volumes: ['data'],
	services: async () => app({'holdfast.sqlite': JSON.stringify([database.replaceAll(/[*[\]]/g, '\\$&')])}),
	begin: async stack =>
		shell(
			stack,
			'sqlite3 "file:$1" "$2"',
			database,
			`pragma journal_mode = wal; create table "od'd" (a text, b blob); insert into "od'd" values ('é', x'00ff'); create view v as select a from "od'd"; create table word (word text); create table log (t text); create trigger loud after insert on word begin insert into log values (new.word); end`,
		),
	write: async (stack, word) => shell(stack, 'sqlite3 "$1" "$2"', database, `insert into word values ('${word}')`),
	read: async stack => shell(stack, 'sqlite3 "$1" .dump', database),
	async spoil(stack) {
		await shell(
			stack,
			'sqlite3 "$1" "pragma wal_checkpoint(truncate)" >/dev/null; cp "$1" /tmp/whole; printf broken | dd of="$1" bs=1 seek=2 conv=notrunc 2>/dev/null',
			database,
		);
		return async () => shell(stack, 'cat /tmp/whole >"$1"', database);
	},
	kept: beside,
};
