/** The `holdfast.*` labels: their names, their values, and every mistake in them at once. */

export interface Hook {
	argv: readonly [string, ...string[]];
	user?: string | undefined;
	timeoutMs: number;
	onError: 'fail' | 'continue';
}

export interface Keep {
	last?: number;
	hourly?: number;
	daily?: number;
	weekly?: number;
	monthly?: number;
	yearly?: number;
	/** As restic spells it: `30d`, `1y6m`. */
	within?: string;
}

export interface PostgresPolicy {
	databases: 'all' | readonly string[];
	user?: string | undefined;
	format: 'custom' | 'plain' | 'all';
	host?: string | undefined;
	port?: number | undefined;
	passwordSecret?: string | undefined;
	restoreBeforeSql?: string | undefined;
	restoreAfterSql?: string | undefined;
}

/** What the labels of one container ask for. Absent means: the default of DESIGN.md, decided by the plan. */
export interface Policy {
	group?: string | undefined;
	postgres?: PostgresPolicy | undefined;
	/** Absolute, normalised paths in the container. */
	sqlite: readonly string[];
	/** `true`, `false`, or mount paths and volume names; absent: the default. */
	volumes?: boolean | readonly string[] | undefined;
	tar: readonly string[];
	exclude: readonly string[];
	schedule?: string | undefined;
	keep?: Keep | undefined;
	copies?: readonly string[] | undefined;
	quiesce?: 'none' | 'pause' | 'stop' | undefined;
	quiesceWith: readonly string[];
	quiesceTimeoutMs: number;
	before?: Hook | undefined;
	after?: Hook | undefined;
	restoreStop?: readonly string[] | undefined;
	restoreWarning?: string | undefined;
	drill?: string | undefined;
	drillSql?: string | undefined;
}

/** One mistake of one target, worded for a person: the label, the rule, the value, the nearest known name. */
export interface Problem {
	message: string;
	hint?: string | undefined;
}
