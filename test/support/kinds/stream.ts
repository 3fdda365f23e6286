/** A directory of OpenLDAP, whose own programs write it as a stream and take it back; and its plain client to look at it. */
import {ensureImage} from '../images.ts';
import type {Stack} from '../stack.ts';
import {until} from '../until.ts';
import type {KindCase} from './suite.ts';

const client = '-Q -Y EXTERNAL -H ldapi:///';

/** As docs/stream.md has them, where Compose reads two dollar signs as one. */
const ldapLabels = {
	'holdfast.stream.directory': 'slapcat -n 1',
	'holdfast.stream.directory.check': JSON.stringify(['grep', '-q', '^entryUUID: ']),
	'holdfast.stream.directory.restore': JSON.stringify([
		'sh',
		'-c',
		`ldapdelete ${client} -r dc=example,dc=org; case $$? in 0|32) ;; *) exit 1;; esac; grep -vE '^(structuralObjectClass|entryCSN): ' | ldapadd ${client} -e relax`,
	]),
};

const entry = (name: string, surname: string) =>
	`dn: cn=${name},dc=example,dc=org\nobjectClass: inetOrgPerson\ncn: ${name}\nsn: ${surname}\ndescription:: ${Buffer.from(`"'; $(x)\0é\n`).toString('base64')}\n`;

const add = async (stack: Stack, ldif: string, ...options: string[]): Promise<string> =>
	stack.exec('app', 'sh', '-c', `printf %s "$1" | { shift; ldapmodify ${client} "$@"; }`, 'sh', ldif, ...options);

export const streamCase: KindCase = {
	kind: 'stream',
	volumes: ['data'],
	services: async () => ({
		app: {
			image: await ensureImage('holdfast-test/slapd:latest'),
			volumes: ['data:/var/lib/ldap'],
			labels: {'holdfast.enable': 'true', 'holdfast.volumes': 'false', ...ldapLabels},
		},
	}),
	async begin(stack) {
		await until('the directory answers', async () => stack.exec('app', 'sh', '-c', `ldapwhoami ${client} && echo yes`), {
			timeout: 60_000,
		});
		const people = Array.from({length: 500}, (_, index) => entry(`person ${index}`, `"; $(x) ${index}`));
		await add(
			stack,
			['dn: dc=example,dc=org\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: it\'s "odd"\n', ...people].join('\n'),
			'-a',
		);
	},
	write: async (stack, word) => add(stack, entry(word, word), '-a'),
	// When it was put there, and in which order it holds the lines of an entry, is of the directory's own.
	read: async stack => stack.exec('app', 'sh', '-c', 'slapcat -n 1 -o ldif-wrap=no | grep -v "^entryCSN: " | sort'),
	async spoil(stack) {
		await stack.exec('app', 'mv', '/etc/ldap/slapd.conf', '/etc/ldap/gone');
		return async () => stack.exec('app', 'mv', '/etc/ldap/gone', '/etc/ldap/slapd.conf');
	},
	// It is kept in the repository.
	kept: async () => '',
};
