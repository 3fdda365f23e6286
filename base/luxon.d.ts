/** All that is used of it; it brings no types. */
declare module 'luxon' {
	export const Settings: {defaultLocale: string};
}
