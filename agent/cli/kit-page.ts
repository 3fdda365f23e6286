/** The kit as a page to print: whole in itself, and readable without anything of ours. */
import {html} from 'hono/html';
import type {Kit} from '../../base/shapes/kit.ts';
import {fileLines, openingLines, placeOf, steps, warning} from './kit-words.ts';

export const kitPage = async (kit: Kit): Promise<string> =>
	String(
		await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Recovery kit of ${kit.host}</title>
<style>
body { font: 11pt/1.5 sans-serif; margin: 2cm auto; max-width: 18cm; padding: 0 1cm; color: #000; background: #fff; }
pre { font: 10pt/1.5 monospace; white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #888; padding: .3cm; }
section { break-inside: avoid; }
.warning { border: 2px solid #000; padding: .3cm; font-weight: bold; }
</style>
</head>
<body>
<h1>Recovery kit of ${kit.host}</h1>
<p>Holdfast ${kit.version}, made ${kit.madeAt}, agent <code>${kit.agent}</code></p>
<p class="warning">${warning}</p>
${kit.repositories.map(
	repository => html`<section>
<h2>${repository.name}</h2>
<p>${placeOf(repository)}</p>
<pre>${openingLines(repository).join('\n')}</pre>
${repository.files.map(fileLines).map(
	({heading, lines}) => html`<h3>${heading}</h3>
${lines.length === 0 ? '' : html`<pre>${lines.join('\n')}</pre>`}`,
)}
</section>`,
)}
<section>
<h2>How to begin</h2>
<ol>${steps(kit).map(step => html`<li>${step}</li>`)}</ol>
</section>
</body>
</html>`,
	);
