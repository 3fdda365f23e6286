/** What is said of targets that are not found any more. Pure. */
import type {MovedTarget} from '../../base/shapes/targets.ts';
import {size} from '../../base/units.ts';
import type {Container} from '../../docker/container.ts';
import type {FiledElsewhere} from './moved.ts';
import {type BackedUp, bytesOf} from './renamed.ts';

/** It runs elsewhere, and is backed up there. */
export const describeMoved = (target: string, {host, agent, target: there, time}: FiledElsewhere): MovedTarget => ({
	target,
	host,
	agent,
	at: time.toISOString(),
	message: `\`${target}\` has moved to host \`${host}\`, whose agent ${agent} backs it up${there === target ? '' : ` as \`${there}\``} since: the newest point there is of ${time.toISOString()}; its points of this host are kept`,
});

/** It is here, by another name. */
export const describeRenamed = (target: string, {target: as, at}: BackedUp, own: {agent: string; host: string}): MovedTarget => ({
	target,
	...own,
	at: new Date(at).toISOString(),
	as,
	message: `\`${target}\` is not found any more, and all that it wrote to is backed up as \`${as}\`: the newest point is of ${new Date(at).toISOString()}; the points of \`${target}\` are kept, and \`holdfast move ${target} ${as}\` makes them those of \`${as}\``,
});

/** Why nobody but a person knows whether it is here by another name. */
export function describeProbable(
	target: string,
	other: string,
	{before, now}: {before: BackedUp | undefined; now: BackedUp | undefined},
): {where: string; hint: string} {
	const [last, newest] = [before, now].map(each => size(each === undefined ? 0 : bytesOf(each.last)));
	return {
		where: `, and is probably \`${other}\` by now: the same service in a project with another name, with volumes or folders of its own. ${now === undefined ? 'That has no backup yet' : `The newest backup of that has ${newest}`}, and the last one of this had ${last}`,
		hint: `if it is: holdfast move ${target} ${other}; data that is not there yet comes with: holdfast restore ${other} --from-target ${target}, before the move. If it is gone on purpose: holdfast forget ${target}`,
	};
}

/** Why that is no proof that all is well. */
export function whatOthersFile({isMoved, agent, host, target, time, bytes, ours}: FiledElsewhere): string {
	const newest = `the newest of ${time.toISOString()} with ${size(bytes)}, where the last one here has ${size(ours.bytes)}`;
	return isMoved
		? `Swarm has moved it to host \`${host}\`, whose agent ${agent} filed points of it as \`${target}\`, ${newest}`
		: `agent ${agent} on host \`${host}\` files points of the same name, ${newest}: whether it is the same nobody knows`;
}

/** Why it may not be found, as far as the engine shows it. Pure. */
export function whereabouts(target: string, containers: readonly Container[], prefix: string): string {
	const [project, service] = target.split('/');
	const left = containers.find(container =>
		service === undefined ? container.name === target : container.project === project && container.service === service,
	);
	if (left !== undefined) {
		return `: its container \`${left.name}\` is there, without the label \`${prefix}enable\` (labels below \`deploy:\` are none of a container's)`;
	}

	return containers.some(container => container.project === project) ? ': its project is there, and has no such service' : '';
}
