/** The words in which a run tells what it does. Every door (CLI, HTTP, Slack, metrics, log) reads the same events. */

import {createListeners, type Listeners} from './listeners.ts';
import type {Finished, Operation} from './results.ts';

/**
 * The steps of a run, in order. An event is sent *before* its step begins, so whoever stops the world at an event
 * stops it inside that step.
 */
export const backupSteps = [
	'plan',
	'workers',
	'prepare',
	'first-pass',
	'before-hooks',
	'quiesce',
	'pin',
	'resume',
	'after-hooks',
	'store',
	'publish',
	'clean-up',
] as const;

export const restoreSteps = ['plan', 'workers', 'load', 'check', 'safety-point', 'stop', 'swap', 'start', 'clean-up'] as const;

export const drillSteps = ['plan', 'workers', 'load', 'check', 'clean-up'] as const;

export const maintenanceSteps = ['workers', 'forget', 'prune', 'measure', 'check', 'clean-up'] as const;

export const importSteps = ['plan', 'workers', 'receive', 'verify', 'store', 'publish', 'clean-up'] as const;

export const copySteps = ['plan', 'workers', 'open', 'copy', 'publish', 'clean-up'] as const;

export type Step =
	| (typeof backupSteps)[number]
	| (typeof restoreSteps)[number]
	| (typeof drillSteps)[number]
	| (typeof maintenanceSteps)[number]
	| (typeof importSteps)[number]
	| (typeof copySteps)[number]
	/** Of any run: for another that has in hand what it would touch. */
	| 'wait';

interface EventOf<Type extends string> {
	type: Type;
	run: string;
	target: string;
	/** Milliseconds since 1970. */
	at: number;
}

export interface QueuedEvent extends EventOf<'queued'> {
	operation: Operation;
	/** Who asked: `schedule`, `cli`, `api`, `slack:<user>`, … */
	trigger: string;
}

export interface StepEvent extends EventOf<'step'> {
	step: Step;
	/** Set where the step concerns one source or container. */
	subject?: string | undefined;
}

export interface ProgressEvent extends EventOf<'progress'> {
	source: string;
	bytes: number;
	/** Unknown for streams. */
	totalBytes?: number | undefined;
	/** What is counted where it is not bytes: `packs`. */
	unit?: string | undefined;
}

/** Something that a person should read, although the run goes on. */
export interface WarningEvent extends EventOf<'warning'> {
	message: string;
}

export type FinishedEvent = EventOf<'finished'> & Finished;

export type RunEvent = QueuedEvent | StepEvent | ProgressEvent | WarningEvent | FinishedEvent;

/** An event without what the run itself adds. */
export type Told<Event = RunEvent> = Event extends RunEvent ? Omit<Event, 'run' | 'target' | 'at'> : never;

/** How a step tells what it does. */
export type Tell = (event: Told) => void;

/** Tells what a person should read, although the run goes on. */
export const warner =
	(tell: Tell) =>
	(message: string): void =>
		tell({type: 'warning', message});

export type EventHub = Listeners<RunEvent>;

/** @param report hears what a listener throws */
export const createEventHub = (report: (error: unknown) => void): EventHub => createListeners(report);
