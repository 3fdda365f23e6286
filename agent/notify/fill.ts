/** A message in the form that a chat service takes. Pure. */
import {lines, type Message, titleOf} from './message.ts';
import type {Format, Template} from './templates.ts';

/** How bad it is: the services' own words. */
const levels = {
	bad: {icon: '❌', tag: 'x', priority: 4},
	odd: {icon: '🟠', tag: 'warning', priority: 3},
	good: {icon: '✅', tag: 'white_check_mark', priority: 2},
} as const;

function levelOf({type, data}: Message): keyof typeof levels {
	if (type === 'holdfast.notice') {
		return data.kind === 'back' ? 'good' : data.kind === 'missed' || data.kind === 'left' ? 'bad' : 'odd';
	}

	return data.outcome === 'failed' ? 'bad' : data.outcome === 'partial' ? 'odd' : 'good';
}

export function fill({body, headers = {}, limit, tamed = []}: Format, message: Message): {body: string; headers: Record<string, string>} {
	const {priority, ...level} = levels[levelOf(message)];
	const tame = (text: string) => tamed.reduce((current, [pattern, instead]) => current.replaceAll(pattern, instead), text);
	const whole = lines(message).join('\n');
	const values: Readonly<Record<string, string | number>> = {
		...level,
		priority,
		'priority*2': priority * 2,
		title: tame(titleOf(message)),
		text: tame(whole.length > limit ? `${whole.slice(0, limit)}…` : whole),
	};
	// One pass: what was filled in is not looked at again.
	const text = (template: string) => template.replaceAll(/\{([a-z*2]+)\}/g, (found, name: string) => String(values[name] ?? found));
	const filled = (template: Template): unknown => {
		if (typeof template === 'string') {
			const [, alone = ''] = /^\{([a-z*2]+)\}$/.exec(template) ?? [];
			return values[alone] ?? text(template);
		}

		if (Array.isArray(template)) {
			return template.map(filled);
		}

		return typeof template === 'object' && template !== null
			? Object.fromEntries(Object.entries(template).map(([key, value]) => [key, filled(value)]))
			: template;
	};

	const isText = typeof body === 'string';
	return {
		body: isText ? String(filled(body)) : JSON.stringify(filled(body)),
		headers: {
			'Content-Type': isText ? 'text/plain; charset=utf-8' : 'application/json',
			// A header holds no more than this.
			...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, text(value).replaceAll(/[^\x20-\x7E]/g, '?')])),
		},
	};
}
