/** Events of runs → what a person sees meanwhile: a live line a run on a terminal, plain lines elsewhere. */
import type {ProgressEvent, RunEvent} from '../../base/events.ts';
import {printable} from '../../base/printable.ts';
import type {Finished, Outcome} from '../../base/results.ts';
import {duration, size} from '../../base/units.ts';
import type {Output} from './output.ts';
import {cut, type Style, styled} from './text.ts';

export interface Progress {
	add: (event: RunEvent) => void;
	/** Takes the live lines away. */
	end: () => void;
}

export const createProgress = (output: Output): Progress => (output.isTTY ? liveProgress(output) : plainProgress(output));

export const styleOfOutcome: Record<Outcome, Style> = {success: 'green', partial: 'yellow', failed: 'red'};

/** Between two lines about the bytes of one run, where there is no terminal. */
const plainIntervalMs = 10_000;

function plainProgress(output: Output): Progress {
	const told = new Map<string, number>();
	const speeds = createSpeeds();
	return {
		add(event) {
			if (event.type === 'step') {
				output.line`${event.target}: ${step(event)}`;
			} else if (event.type === 'progress') {
				const speed = speeds.of(event);
				if (event.at - (told.get(event.run) ?? speed.since) >= plainIntervalMs) {
					told.set(event.run, event.at);
					output.line`${event.target}: ${amount(event, speed)}`;
				}
			} else {
				lasting(output, event);
			}
		},
		end() {},
	};
}

const drawIntervalMs = 100;
const mostLines = 8;

function liveProgress(output: Output): Progress {
	const running = new Map<string, {target: string; step: string; amount: string}>();
	const speeds = createSpeeds();
	let drawn = 0;
	let drawnAt = Number.NEGATIVE_INFINITY;
	let timer: NodeJS.Timeout | undefined;

	const erase = (): string => (drawn > 0 ? `\u001b[${drawn}A\u001b[J` : '');
	const draw = (): void => {
		clearTimeout(timer);
		timer = undefined;
		const rows = [...running.values()];
		const lines = rows.slice(0, mostLines).map(row => printable(`${row.target}  ${row.step}${row.amount && `  ${row.amount}`}`));
		if (rows.length > mostLines) {
			lines.push(`… and ${rows.length - mostLines} more`);
		}

		output.raw(erase() + lines.map(line => `${cut(line, output.columns() - 1)}\n`).join(''));
		drawn = lines.length;
		drawnAt = performance.now();
	};
	const drawSoon = (): void => {
		timer ??= setTimeout(draw, Math.max(0, drawnAt + drawIntervalMs - performance.now()));
	};

	return {
		add(event) {
			if (event.type === 'step') {
				running.set(event.run, {target: event.target, step: step(event), amount: ''});
				drawSoon();
			} else if (event.type === 'progress') {
				const {step} = running.get(event.run) ?? {step: ''};
				const shown = amount(event, speeds.of(event), step.endsWith(event.source));
				running.set(event.run, {target: event.target, step, amount: shown});
				drawSoon();
			} else if (event.type !== 'queued') {
				output.raw(erase());
				drawn = 0;
				lasting(output, event);
				if (event.type === 'finished') {
					running.delete(event.run);
				}

				draw();
			}
		},
		end() {
			clearTimeout(timer);
			output.raw(erase());
			drawn = 0;
			running.clear();
		},
	};
}

/** What stays on the screen. */
function lasting(output: Output, event: RunEvent): void {
	if (event.type === 'queued') {
		output.line`${event.target}: ${event.operation} is run ${event.run}`;
	} else if (event.type === 'warning') {
		output.line`${event.target}: ${styled('yellow', 'warning')}: ${event.message}`;
	} else if (event.type === 'finished') {
		const {outcome} = event.result;
		output.line`${event.target}: ${styled(styleOfOutcome[outcome], outcome)}${took(event)}`;
	}
}

const took = ({operation, result}: Finished): string => (operation === 'restore' ? '' : ` in ${duration(result.durationSeconds)}`);

const step = (event: {step: string; subject?: string | undefined}): string =>
	event.subject ? `${event.step} ${event.subject}` : event.step;

interface Speed {
	/** When the first bytes of this source were told. */
	since: number;
	bytesPerSecond: number | undefined;
}

/** The mean since a source began; steadier than what came last. */
function createSpeeds() {
	const starts = new Map<string, ProgressEvent>();
	return {
		of(event: ProgressEvent): Speed {
			const start = starts.get(event.run);
			if (start?.source !== event.source || start.bytes > event.bytes) {
				starts.set(event.run, event);
				return {since: event.at, bytesPerSecond: undefined};
			}

			const seconds = (event.at - start.at) / 1000;
			return {since: start.at, bytesPerSecond: seconds < 0.5 ? undefined : (event.bytes - start.bytes) / seconds};
		},
	};
}

function amount({source, bytes, totalBytes, unit}: ProgressEvent, {bytesPerSecond}: Speed, alreadyNamed = false): string {
	if (unit !== undefined) {
		return `${bytes}${totalBytes === undefined ? '' : ` of ${totalBytes}`} ${unit}`;
	}

	const parts = [...(alreadyNamed ? [] : [source]), totalBytes === undefined ? size(bytes) : `${size(bytes)} of ${size(totalBytes)}`];
	if (bytesPerSecond !== undefined && bytesPerSecond >= 1) {
		parts.push(`${size(bytesPerSecond)}/s`);
		if (totalBytes !== undefined && totalBytes > bytes) {
			parts.push(`${duration(Math.ceil((totalBytes - bytes) / bytesPerSecond))} left`);
		}
	}

	return parts.join('  ');
}
