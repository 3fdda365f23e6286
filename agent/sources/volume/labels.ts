/** The labels of volumes. */
import {readPatterns, readVolumes} from '../../../base/reading/values.ts';
import type {Given} from '../kind.ts';

export interface VolumePolicy {
	/** `true`, `false`, or mount paths and volume names; absent: the default. */
	volumes: boolean | readonly string[] | undefined;
	/** Patterns as restic knows them, from the root of the mount, with or without a leading slash. */
	exclude: readonly string[];
}

export const volumeLabels = {volumes: readVolumes, exclude: readPatterns};

export const volumePolicy = ({volumes, exclude = []}: Given<typeof volumeLabels>): VolumePolicy => ({volumes, exclude});
