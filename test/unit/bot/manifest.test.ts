/** What the app is allowed is what the bot needs, and what the page explains. */
import {readFile} from 'node:fs/promises';
import test from 'ava';
import {parse} from 'yaml';

const read = async (name: string) => readFile(new URL(`../../../${name}`, import.meta.url), 'utf8');

test('the manifest asks for what docs/slack.md explains, and no more', async t => {
	const manifest = parse(await read('bot/manifest.yml'));
	const page = await read('docs/slack.md');
	const explained = [...(page.split('## Scopes')[1]?.split('\n## ')[0] ?? '').matchAll(/^\| `([a-z:._]+)`/gm)].map(([, scope]) => scope);
	t.deepEqual(explained.filter(scope => scope !== 'connections:write').toSorted(), manifest.oauth_config.scopes.bot.toSorted());
	t.deepEqual(
		manifest.features.slash_commands.map(({command}: {command: string}) => command),
		['/backup', '/restore'],
	);
	for (const {usage_hint: hint, description} of manifest.features.slash_commands) {
		t.true(hint.length <= 1000 && description.length <= 2000);
	}

	t.true(manifest.settings.socket_mode_enabled && manifest.settings.interactivity.is_enabled);
});
