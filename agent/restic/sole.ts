/**
 * A repository in a folder is made by one at a time: `restic init` looks whether there is one, takes a second for its key, and writes over what
 * another wrote meanwhile. Of two at once each says that all went well, and one key opens nothing.
 */

/**
 * The lock is the kernel's, on the folder itself: it ends with whoever has it, and leaves nothing. Where the file system has none (some of a network),
 * restic goes on without. A making that was killed has left keys and nothing else, which restic takes for a repository: they open nothing.
 */
const script = `
folder=$1
shift
mkdir -p -- "$folder" || exit 1
if exec 9<"$folder" && flock --wait 60 9 && [ ! -e "$folder/config" ] && [ -d "$folder/keys" ]; then
	left=$(find "$folder/data" "$folder/index" "$folder/snapshots" -type f -print -quit) && [ -z "$left" ] && find "$folder/keys" -type f -delete
fi
exec "$@"
`;

export const soleArgv = (folder: string, restic: readonly [string, ...string[]]): [string, ...string[]] => [
	'sh',
	'-c',
	script,
	'sole',
	folder,
	...restic,
];
