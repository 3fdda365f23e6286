/** An application with a source of each kind that is files: a database, a volume, and what its own file system holds. */
export const filesApp = (image: string) => ({
	image,
	volumes: ['data:/data'],
	labels: {
		'holdfast.enable': 'true',
		'holdfast.sqlite': '/data/app.db',
		'holdfast.volumes': 'true',
		'holdfast.tar': '/etc/debian_version',
	},
});
