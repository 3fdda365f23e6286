/** The labels of another program, understood as they are: what a dialect says of one container. */
import type {Container} from '../../../docker/container.ts';

/** One of ours, without the prefix, and the label of theirs that asks for it. */
export interface Meant {
	name: string;
	value: string;
	because: string;
}

export interface Translation {
	meant: readonly Meant[];
	/** What has no counterpart, and what is done instead: for people. */
	lost: readonly string[];
}

export type Dialect = (container: Pick<Container, 'image' | 'labels' | 'mounts'>) => Translation;

/** As both programs read it. */
export const isTrue = (value: string | undefined): boolean => value !== undefined && /^(?:true|1|yes)$/i.test(value.trim());
