/** What families of metrics are made of. */
import {Gauge, type Registry} from 'prom-client';

export type MakeGauge = <Label extends string>(name: string, help: string, labelNames?: readonly Label[]) => Gauge<Label>;

export const gaugesOf =
	(registry: Registry): MakeGauge =>
	(name, help, labelNames = []) =>
		new Gauge({name: `holdfast_${name}`, help, labelNames, registers: [registry]});

/** Seconds since 1970 of an ISO 8601 text. */
export const seconds = (iso: string): number => Date.parse(iso) / 1000;

/** Sets nothing where there is no time. */
export function setTime<Label extends string>(gauge: Gauge<Label>, labels: Record<Label, string>, time: number | null): void {
	if (time !== null && Number.isFinite(time)) {
		gauge.set(labels, time);
	}
}
