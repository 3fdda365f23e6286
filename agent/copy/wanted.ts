/** Which copies the points of a target go to. */

import type {Labels} from '../targets/label-names.ts';
import {parseLabels} from '../targets/labels.ts';

/** @param wanted what the label names; undefined: it is not given */
export const isCopiedTo = (copy: string, wanted: readonly string[] | undefined): boolean => wanted?.includes(copy) ?? true;

/** For a target that is gone: what the labels of its containers asked for, as its point recorded them. One that forbids it is heeded. */
export const wereCopiedTo = (copy: string, containers: readonly Labels[], prefix: string): boolean =>
	containers.every(labels => isCopiedTo(copy, parseLabels(labels, {prefix, subject: copy}).policy.copies));
