/** The log: JSON lines, or plain ones on a terminal. The only importer of pino. */
import {pino} from 'pino';
import {explain} from './errors.ts';
import type {EventHub, RunEvent} from './events.ts';
import type {LogLevel} from './log-levels.ts';
import type {Redactor} from './redact.ts';

/** `error` becomes one line that names its causes and the next step. */
export type LogFields = Readonly<Record<string, unknown>> & {error?: unknown};

export type Log = Record<LogLevel, (message: string, fields?: LogFields) => void>;

export interface LogOptions {
	level: LogLevel;
	/** Applied to each line as it is written, so that no message, cause or field is left out. */
	redactor: Redactor;
	output?: {write: (line: string) => unknown; isTTY?: boolean};
}

export function createLog({level, redactor, output = process.stdout}: LogOptions): Log {
	const format = output.isTTY ? plainLine : JSON.stringify;
	const logger = pino(
		{
			level,
			base: null,
			customLevels: {debug: 20, info: 30, warning: 40, error: 50},
			useOnlyCustomLevels: true,
			timestamp: pino.stdTimeFunctions.isoTime,
			formatters: {level: label => ({level: label})},
			messageKey: 'message',
			errorKey: 'error',
			serializers: {error: explain},
		},
		{write: line => output.write(`${format(redactor.applyToJson(JSON.parse(line)) as LogFields)}\n`)},
	);
	const at =
		(name: LogLevel) =>
		(message: string, fields: LogFields = {}) =>
			logger[name](fields, message);
	return {debug: at('debug'), info: at('info'), warning: at('warning'), error: at('error')};
}

/** `03:00:01 info    quiesce target=app/db`; nothing in it that a terminal would act on. */
function plainLine({time, level, message, ...fields}: LogFields): string {
	const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
	const line = `${String(time).slice(11, 19)} ${String(level).padEnd(7)} ${message}${pairs.join('')}`;
	return line.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, visible);
}

const visible = (character: string) => (character === '\n' ? '\\n' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** One line a step, with its run and target. Returns the function that ends it. */
export function logEvents(hub: Pick<EventHub, 'listen'>, log: Log): () => void {
	return hub.listen(event => logEvent(event, log));
}

function logEvent(event: RunEvent, log: Log): void {
	const {run, target} = event;
	switch (event.type) {
		case 'queued':
			log.info(`${event.operation} queued`, {run, target, trigger: event.trigger});
			break;
		case 'step':
			log.info(event.step, {run, target, subject: event.subject});
			break;
		case 'progress':
			log.debug('progress', {run, target, source: event.source, bytes: event.bytes, totalBytes: event.totalBytes});
			break;
		case 'warning':
			log.warning(event.message, {run, target});
			break;
		case 'finished': {
			const {outcome, error} = event.result;
			log[outcome === 'success' ? 'info' : 'error'](`${event.operation} ${outcome}`, {
				run,
				target,
				...(error === undefined ? {} : {error}),
			});
		}
	}
}
