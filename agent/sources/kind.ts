/**
 * A kind of source: all that Holdfast must know of it. Each is one folder whose `index.ts` is one literal of this shape; `kinds.ts` lists them,
 * and nobody outside of the folder names the kind. Methods, not properties: so a table of kinds is a table of `Kind`.
 */
import type {z} from 'zod';
import type {Place} from '../../base/command.ts';
import type {Problem} from '../../base/problem.ts';
import type {Reader} from '../../base/reading/reader.ts';
import type {Finding} from '../../base/shapes/targets.ts';
import type {Container, Mount} from '../../docker/container.ts';
import type {Engine} from '../../docker/engine.ts';
import type {Workforce} from '../../docker/worker.ts';
import type {ManifestSource} from '../repository/manifest.ts';
import type {Restic} from '../restic/restic.ts';
import type {DrillContext, Drilling, DrillSource} from './drilling.ts';
import type {Claim, Grounds} from './objections.ts';
import type {KnownServer} from './recognise.ts';
import type {Remarks} from './remarks.ts';
import type {Replaced, RestoreContext, Restoring, RestoringSource, UndoContext} from './restoring.ts';
import type {ServerRoom, Writing} from './room.ts';
import type {Among, PlannedSource, Source, SourceContext} from './source.ts';

export interface Kind<Policy = unknown, Answer = unknown, Planned extends PlannedSource = PlannedSource, Old extends Replaced = Replaced>
	extends Described,
		Labelled<Policy>,
		Plannable<Policy, Answer, Planned>,
		BackedUp<Planned>,
		Restored<Policy, Planned, Old>,
		Rehearsed<Policy> {}

interface Described {
	/** As in names of sources and in manifests: `postgres`. */
	readonly kind: string;
	/** For people: `only one Postgres database …`. */
	readonly title: string;
	/** What people mean by "databases only". */
	readonly isDatabase: boolean;
	/** A server has the data: Holdfast itself writes no files of it. */
	readonly isServed: boolean;
	/** A tree of files, devices among them perhaps: single ones can be restored. */
	readonly isTree: boolean;
	/** What the servers look like that it can dump: for what is unprotected. */
	readonly servers?: readonly KnownServer[];
}

/** Names of labels without the prefix, or what stands behind a name of the person's own, and how each is read. */
export type LabelReaders = Readonly<Record<string, Reader<unknown>>>;

/** What labels give; undefined where one is missing or cannot be read. */
export type Given<Labels extends LabelReaders> = {
	readonly [Name in keyof Labels]: (Labels[Name] extends Reader<infer Value> ? Value : never) | undefined;
};

interface Labelled<Policy> {
	/** The first is the one that asks for it; none where they are `named`. `postgres.user` is nothing without `postgres`, and so for each that has a dot. */
	readonly labels: LabelReaders;
	/**
	 * Of labels that hold a name of the person's own: `stream.NAME` and `stream.NAME.check`. By what stands behind the name; `''` is the one that asks.
	 * Missing: there are none.
	 */
	readonly named?: LabelReaders;
	/** What its labels ask for; also where there are none. @param named by the names that people chose */
	policy(given: Readonly<Record<string, unknown>>, named?: ReadonlyMap<string, Readonly<Record<string, unknown>>>): Policy;
	/** They name sources: then no other kind is taken by default. */
	asks(policy: Policy): boolean;
	/** They say which mounts of the service are backed up: what is left out is so on purpose. Missing: never. */
	choosesMounts?(policy: Policy): boolean;
}

/** A service, and what its labels ask of this kind. */
export interface Asked<Policy = unknown> {
	container: Container;
	policy: Policy;
}

/** What the planning of one service looks at. */
export interface Scope<Policy = unknown, Answer = unknown> extends Asked<Policy> {
	/** What `ask` gave; undefined where there was nobody to ask, or no answer. */
	answer: Answer | undefined;
	/** What the names of its sources start with: `''`, or in a group `'<service>/'`. */
	group: string;
	/** Of labels. */
	prefix: string;
	/** The labels name sources of other kinds. */
	hasOthers: boolean;
	/** They say which mounts are backed up as files. */
	choosesMounts: boolean;
	/** How long a dump waits for a lock, where a label does not say. */
	lockTimeoutMs?: number | undefined;
	grounds: Grounds;
	remarks: Pick<Remarks, 'problem' | 'note' | 'lack' | 'object' | 'miss'>;
}

/** What `plan --json` says of a source. */
export interface SourceView {
	path?: string;
	database?: string;
	server?: string;
	exclude?: readonly string[];
}

/** What an answer is found with. */
export interface Means {
	engine: Engine;
	/** Workers of its own, for a look into mounts. */
	hire: () => Promise<Workforce>;
	/** The engine's own folder on the host. */
	dataRoot: string;
	/** The agent's own container. */
	agent: Container | undefined;
}

export interface Proposal {
	labels: Readonly<Record<string, string>>;
	why: string;
}

interface Plannable<Policy, Answer, Planned extends PlannedSource> {
	/** What only a look at the running service can tell. Undefined: there is nobody to ask. Missing: nothing need be asked. */
	ask?(asked: Asked<Policy>, means: Means): Promise<Answer> | undefined;
	/** Labels that would ask for what is found in a container that no label speaks of, without the prefix, and why. A person waits. Missing: nothing can be found so. */
	propose?(container: Container, means: Means, signal: AbortSignal): Promise<Proposal | undefined>;
	/** How old an answer may be where nobody is about to run. Missing: some seconds. */
	readonly answersKeptMs?: number;
	/** Whether it is kept for so long; else, as what it says may be over soon, for some seconds. Missing: it is. Pure. */
	isLasting?(answer: Answer): boolean;
	/** Pure. Mistakes go into the remarks. */
	plan(scope: Scope<Policy, Answer>): Planned[];
	/** Places in mounts that are dealt with otherwise than as files: no volume takes them. Pure. */
	claims?(asked: Asked<Policy>, answer: Answer | undefined): Claim[];
	/** Mounts of which nothing more need be backed up; `withInside`: nor of a bind mount of a folder in it. Pure. */
	covers?(planned: Planned): Array<{mount: Mount; withInside: boolean}>;
	/** The labels name this one: it is meant even where its mount is passed over by default. Missing: no. Pure. */
	names?(policy: Policy, planned: Planned): boolean;
	/** Both are the same data, which is backed up once. Missing: never. Pure. */
	isRepeat?(a: Planned, b: Planned): boolean;
	/** Of its own container, for the moment: files need it to stand still, a server must answer. Pure. */
	stillness(planned: Planned): 'needed' | 'allowed' | 'forbidden';
	/** What the server of all these, of one service, cannot give, or only otherwise; `isMoment`: they are to be of the moment of files, or of somebody who stands still. Missing: nothing. Pure. */
	strain?(planned: readonly Planned[], answer: Answer | undefined, how: {isMoment: boolean}): {problem?: Problem; note?: string};
	/** Its server is not in the container: what an image must have that a rehearsal can make one of (`PostgreSQL`). Pure. */
	elsewhere?(policy: Policy): string | undefined;
	/** For people and programs. Pure. */
	view(planned: Planned): SourceView;
	/** For the doctor, one of each container. Never rejects. Undefined: there is nothing to say. */
	examine?(planned: Planned, means: {engine: Engine; workforce: Workforce}): Promise<Omit<Finding, 'subject'>> | undefined;
}

interface BackedUp<Planned extends PlannedSource> {
	/** Its mount must be writable for a backup, too. */
	readonly writesToMount: boolean;
	backup(planned: Planned, context: SourceContext, among: Among): Source;
}

/** The service that a source of a point is put into. */
export interface Home<Policy = unknown> extends Asked<Policy> {
	/** The point is another target's: only a service whose labels ask for such a source is meant. */
	isForeign: boolean;
}

/** A source of a point by its own name, without the service and the kind. */
export type StoredSource = Pick<ManifestSource, 'details'> & {source: string; name: string};

/** What a check of free room works with. `worker` has the mounts of the sources, and `restic` is at it, on the repository of the point. */
export interface RoomContext {
	worker: Place;
	restic: Restic;
	all: readonly RestoringSource[];
	signal: AbortSignal;
}

export interface Counted {
	written: number | undefined;
	removed: number | undefined;
}

interface Restored<Policy, Planned extends PlannedSource, Old extends Replaced> {
	/** Lower ones are restored first: files before the databases that may lie among them. */
	readonly rank: number;
	/** Its server stands still while it is restored, although it must answer while it is backed up. Missing: it goes on. */
	readonly isRestoredAtRest?: boolean;
	/** Where a source of a point belongs now; or why nowhere. Pure. */
	place(stored: StoredSource, home: Home<Policy>): Planned | string;
	/** What is wrong with a name that a restored source is to get beside the live ones. Missing: there is no such thing. Pure. */
	nameProblem?(name: string): string | undefined;
	/** The same, which leaves these paths from its mount's root alone. Missing: it writes a file of its own, and no tree. Pure. */
	spare?(planned: Planned, paths: readonly string[]): Planned;
	/** Of those of one service, the one that the label `drill.sql` is about. Missing: no query can be asked. Pure. */
	questioned?(policy: Policy, sources: readonly string[]): string | undefined;
	/** What is left out of backups now, and was not when the point was made: what is live of it is in no point, and goes. Missing: there is no such thing. Pure. */
	leftOutSince?(source: RestoringSource<Planned>, policy: Policy): string[];
	/** All that is wrong, and the room that it takes of its server; nothing is touched. `restic` is on the repository of the point. */
	check?(
		source: RestoringSource<Planned>,
		means: {engine: Engine; restic: Restic},
	): Promise<{problems: string[]; room?: ServerRoom | undefined}>;
	/** The folders that are the own of a server of this kind, where one runs in the container. Never rejects. Missing: there is no such server. */
	serving?(container: Pick<Container, 'id' | 'name'>, means: {engine: Engine}): Promise<{software: string; folders: readonly string[]}>;
	/** Why it must be written over what is live, instead of beside it; asked of the live data. Undefined: there is no reason. Missing: it is always so, or never. */
	whyInPlace?(source: RestoringSource<Planned>, context: RoomContext): Promise<string | undefined>;
	/** What is live and cannot be changed by anybody: each with the way out. Nothing is changed. Missing: nothing is of that sort. */
	locked?(source: RestoringSource<Planned>, context: RoomContext): Promise<string[]>;
	/** What is written to the file system of a worker. Missing: nothing. */
	writing?(source: RestoringSource<Planned>, context: RoomContext): Omit<Writing, 'source'>;
	/** How many files a restore would write, and remove; undefined where that cannot be told. Missing: it writes no files of a storage. */
	count?(source: RestoringSource<Planned>, context: RoomContext): Promise<Counted>;
	restore(source: RestoringSource<Planned>, context: RestoreContext, among: Among<RestoringSource>): Restoring;
	/** What its restores write to the journal. */
	readonly replaced: z.ZodType<Old>;
	/** All run again. Asks the server whether it took what was put in its place. @throws where it did not: then what was there before is put back. Missing: nobody need be asked */
	confirm?(old: Old, means: {engine: Engine; signal: AbortSignal}): Promise<void>;
	/** Puts back what was there before the restore, however far that came. Doing it twice changes nothing. */
	rollBack(old: Old, context: UndoContext): Promise<void>;
	/** What would keep `rollBack` from being done, asked while all runs: each with the way out. Missing: nothing can be known before. */
	obstacles?(old: Old, context: Pick<UndoContext, 'engine' | 'signal' | 'container'>): Promise<string[]>;
	/** Lets go of what was replaced. Doing it twice changes nothing. */
	release(old: Old, context: UndoContext): Promise<void>;
	/** How a person finds what was replaced. Undefined where nothing was. Pure. */
	describe(old: Old): string | undefined;
}

interface Rehearsed<Policy> {
	drill(source: DrillSource<Policy>, context: DrillContext, index: number): Drilling;
}
